import { describe, expect, it } from 'vitest';
import { parseCidr } from '../../../../src/base/cidr.ts';
import { parseIpAddress } from '../../../../src/base/ip-address.ts';
import { blankRoute } from '../../../../src/node/desired/block-routes.ts';
import type { HostRoute } from '../../../../src/node/host-route.ts';
import { lostPodRoutes, POD_PATIENCE_MS } from '../../../../src/node/reconcile/lost-pod-routes.ts';

function route(destination: string, rest: Partial<HostRoute>): HostRoute {
  return { ...blankRoute(parseCidr(destination)), ...rest };
}

const pod = route('10.77.0.1/32', { device: 'cali1', scope: 'link' });
const pod6 = route('fd77::1/128', { device: 'cali1' });
const NEVER = new Map();

describe('lostPodRoutes()', () => {
  it('waits for the CNI plugin, and then no longer', () => {
    const first = lostPodRoutes([pod, pod6], [], NEVER, 1_000);
    expect(first.lost).toEqual([]);
    expect(lostPodRoutes([pod, pod6], [], first.waiting, 999 + POD_PATIENCE_MS).lost).toEqual([]);
    const then = lostPodRoutes([pod, pod6], [], first.waiting, 1_000 + POD_PATIENCE_MS);
    expect(then).toEqual({ lost: [pod, pod6], waiting: NEVER });
  });

  it('forgets what has come meanwhile', () => {
    const { waiting } = lostPodRoutes([pod], [], NEVER, 0);
    expect(lostPodRoutes([pod], [pod], waiting, 1_000)).toEqual({ lost: [], waiting: NEVER });
    expect(lostPodRoutes([], [], waiting, 1_000)).toEqual({ lost: [], waiting: NEVER });
  });

  it.each([
    ['of the CNI plugin', { device: 'cali1', protocol: 3, metric: 0 }, 0],
    ['of Felix', { device: 'cali1', protocol: 3, metric: 1024 }, 0],
    ['through the interface of a sandbox that takes over', { device: 'tmp1' }, 0],
    ['to another host', { device: 'eth0', gateway: parseIpAddress('10.50.0.2') }, 1],
    ['to nowhere', { type: 'blackhole' }, 1],
    ['in another table', { device: 'cali1', table: 100 }, 1],
  ] as const)('counts a route %s as what it is', (_, rest, lost) => {
    const { waiting } = lostPodRoutes([pod], [], NEVER, 0);
    const found = route('10.77.0.1/32', rest);
    expect(lostPodRoutes([pod], [found], waiting, POD_PATIENCE_MS).lost).toHaveLength(lost);
  });
});
