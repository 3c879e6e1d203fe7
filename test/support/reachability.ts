/** Who reaches whom among pods, with packets as large as their interface lets through, and what is then on the wire. */

import type { LabHost, LabPod } from './agent-lab.ts';
import { type Capture, capture } from './capture.ts';
import { type CapturedPacket, echoRequestIn } from './captured-packet.ts';
import type { TestNetns } from './netns.ts';
import { answers, isTooLarge } from './ping.ts';
import type { PodFamily } from './pool-modes.ts';

export interface Reach {
  readonly from: LabPod;
  readonly to: LabPod;
  /** Whether a packet of the size of the MTU was answered. */
  readonly isAnswered: boolean;
  /** Whether one of a byte more was refused at once. */
  readonly isLargerRefused: boolean;
  /** The first one, where it left its host. */
  readonly onWire: CapturedPacket | undefined;
}

/** Of each pod to each other that has an address of the family, all at once. */
export async function tryEach(pods: readonly LabPod[], family: PodFamily): Promise<readonly Reach[]> {
  const present = pods.filter((pod) => pod[family] !== '');
  const pairs = present.flatMap((from) => present.filter((to) => to !== from).map((to) => ({ from, to })));
  using stack = new DisposableStack();
  const captures = new Map<LabHost, Capture>();
  for (const { host } of present)
    if (!captures.has(host)) captures.set(host, stack.use(capture(host.netns, 'eth0')));
  const answered = await Promise.all(
    pairs.map(async ({ from, to }) => ({
      isAnswered: await answers(from.netns, to[family], mtuOf(from)),
      isLargerRefused: await isTooLarge(from.netns, to[family], mtuOf(from) + 1),
    })),
  );
  const captured = new Map(Array.from(captures, ([host, { packets }]) => [host, packets()]));
  return pairs.map(({ from, to }, index) => ({
    from,
    to,
    ...(answered[index] ?? { isAnswered: false, isLargerRefused: false }),
    onWire: captured.get(from.host)?.find((packet) => isAsked(packet, from[family], to[family])),
  }));
}

function isAsked(packet: CapturedPacket, by: string, whom: string): boolean {
  const { source, destination } = echoRequestIn(packet) ?? {};
  return source === by && destination === whom;
}

/** Of the pod's interface. */
export function mtuOf(pod: LabPod): number {
  return Number(pod.sh('cat /sys/class/net/eth0/mtu'));
}

/** The address with which a ping arrives. */
export async function sourceSeen(
  from: TestNetns,
  at: TestNetns,
  ifName: string,
  to: string,
): Promise<string | undefined> {
  using seen = capture(at, ifName);
  await answers(from, to);
  const arrived = seen.packets().map(echoRequestIn);
  return arrived.find((packet) => packet?.destination === to)?.source;
}
