import { describe, expect, it } from 'vitest';
import { HOST_SIDE_MAC, parseMacAddress } from '../../../src/base/mac-address.ts';
import { differencesFrom } from '../../../src/network/difference.ts';
import type { ObservedPod } from '../../../src/network/observe-pod.ts';
import { planPod } from '../../../src/network/plan-pod.ts';
import { podNetwork } from '../../support/pod-network.ts';

/** A pair without addresses, whose ends are up. */
function observed(kind: string): ObservedPod {
  const link = (ifIndex: number, name: string, mac: string) => ({
    ...{ ifIndex, name, kind, mac: parseMacAddress(mac), mtu: 1440, isUp: true },
    ...{ peerIfIndex: 7 - ifIndex, peerNetnsId: 0 },
  });
  return {
    container: {
      ...{ link: link(2, 'eth0', '02:00:00:00:00:01'), addresses: [], routes: [], neighbours: [] },
    },
    host: { link: link(5, 'cali1', HOST_SIDE_MAC), addresses: [] },
    isPair: true,
    hostRoutes: [],
  };
}

describe('differencesFrom()', () => {
  it.each([
    ['veth', 'netkit'],
    ['netkit', 'veth'],
    ['netkit', 'netkit'],
  ] as const)('leaves a pod alone that shall have %s and has %s', (deviceType, kind) => {
    expect(differencesFrom(planPod(podNetwork([], { deviceType })), observed(kind))).toEqual([]);
  });

  it('finds ends that no pod has', () => {
    expect(differencesFrom(planPod(podNetwork([], { deviceType: 'netkit' })), observed('bridge'))).toEqual([
      {
        object: 'interface eth0 in the sandbox',
        expected: 'kind netkit',
        found: 'kind bridge',
        isEssential: true,
      },
      {
        object: 'interface cali1 on the host',
        expected: 'kind netkit',
        found: 'kind bridge',
        isEssential: true,
      },
    ]);
  });
});
