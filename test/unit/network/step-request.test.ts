import { describe, expect, it } from 'vitest';
import { decodeLink } from '../../../src/network/netlink/link.ts';
import { asVethPair, planPod } from '../../../src/network/plan-pod.ts';
import type { DeviceType } from '../../../src/network/pod-network.ts';
import { pairRequest } from '../../../src/network/step-request.ts';
import { podNetwork } from '../../support/pod-network.ts';

const NETNS_FDS = { host: 0x11111111, pod: 0x22222222 };

const pairOf = (deviceType: DeviceType) => planPod(podNetwork(['10.77.0.117'], { deviceType })).pair;

/** The end that is made, and the namespace in which the other is born. */
function made(
  pair: ReturnType<typeof pairOf>,
): readonly [name: string, kind: string | undefined, born: number] {
  const payload = Buffer.from(pairRequest(pair, NETNS_FDS).payload);
  const { name, kind } = decodeLink(payload);
  return [name, kind, payload.readUInt32LE(payload.length - 4)];
}

describe('pairRequest()', () => {
  it('makes a veth pair from the pod, a netkit pair from the host', () => {
    expect(pairOf('veth').where).toBe('pod');
    expect(made(pairOf('veth'))).toEqual(['eth0', 'veth', NETNS_FDS.host]);
    expect(pairOf('netkit').where).toBe('host');
    expect(made(pairOf('netkit'))).toEqual(['cali1', 'netkit', NETNS_FDS.pod]);
  });

  it('makes of the pair that replaces a netkit pair what it makes of a veth pair', () => {
    expect(asVethPair(pairOf('netkit'))).toEqual(pairOf('veth'));
  });
});
