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
    expect(first).toMatchObject({ lost: [], isPluginAwaited: true });
    const soon = lostPodRoutes([pod, pod6], [], first.missingSince, 999 + POD_PATIENCE_MS);
    expect(soon).toEqual(first);
    const then = lostPodRoutes([pod, pod6], [], first.missingSince, 1_000 + POD_PATIENCE_MS);
    expect(then).toEqual({ ...first, lost: [pod, pod6], isPluginAwaited: false });
  });

  it('does not wait again for what the kernel has refused', () => {
    const { missingSince } = lostPodRoutes([pod], [], NEVER, 0);
    const refused = lostPodRoutes([pod], [], missingSince, 1_000);
    expect(lostPodRoutes([pod], [], refused.missingSince, 1_001).lost).toEqual([pod]);
  });

  it('waits on for a route while another one is made again', () => {
    const { missingSince } = lostPodRoutes([pod], [], NEVER, 0);
    const both = lostPodRoutes([pod, pod6], [], missingSince, POD_PATIENCE_MS);
    expect(both).toMatchObject({ lost: [pod], isPluginAwaited: true });
  });

  it('forgets what has come meanwhile', () => {
    const { missingSince } = lostPodRoutes([pod], [], NEVER, 0);
    const nothing = { lost: [], missingSince: NEVER, isPluginAwaited: false };
    expect(lostPodRoutes([pod], [pod], missingSince, 1_000)).toEqual(nothing);
    expect(lostPodRoutes([], [], missingSince, 1_000)).toEqual(nothing);
  });

  it.each([
    ['of the CNI plugin', { device: 'cali1', protocol: 3, metric: 0 }, 0],
    ['of Felix', { device: 'cali1', protocol: 3, metric: 1024 }, 0],
    ['through the interface of a sandbox that takes over', { device: 'tmp1' }, 0],
    ['that somebody wants elsewhere', { device: 'eth0', gateway: parseIpAddress('10.50.0.2') }, 0],
    ['in another table', { device: 'cali1', table: 100 }, 1],
  ] as const)('counts a route %s as what it is', (_, rest, lost) => {
    const { missingSince } = lostPodRoutes([pod], [], NEVER, 0);
    const found = route('10.77.0.1/32', rest);
    expect(lostPodRoutes([pod], [found], missingSince, POD_PATIENCE_MS).lost).toHaveLength(lost);
  });
});
