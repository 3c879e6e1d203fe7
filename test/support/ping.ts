/** One echo request of a size, which must not be fragmented. */

import type { TestNetns } from './netns.ts';
import { run } from './run.ts';

/** IP and ICMP headers. */
const HEADERS = { ipv4: 28, ipv6: 48 } as const;

/** Whether one packet of so many bytes, headers and all, not to be fragmented, is answered within a second. */
export async function answers(from: TestNetns, to: string, packetBytes = 84): Promise<boolean> {
  return (await run(pingOnce(to, packetBytes, '1'), { netns: from.name })).exitCode === 0;
}

/** Whether a packet of so many bytes is more than the way takes in one piece, as far as the sender knows at once. */
export async function isTooLarge(from: TestNetns, to: string, packetBytes: number): Promise<boolean> {
  const { stdout, stderr } = await run(pingOnce(to, packetBytes, '0.1'), { netns: from.name });
  return /message too long/i.test(stdout + stderr);
}

function pingOnce(to: string, packetBytes: number, seconds: string): readonly string[] {
  const payload = packetBytes - (to.includes(':') ? HEADERS.ipv6 : HEADERS.ipv4);
  return ['ping', '-n', '-c', '1', '-W', seconds, '-M', 'do', '-s', String(payload), to];
}
