import { describe, expect, it } from 'vitest';
import { parseCidr } from '../../../../src/base/cidr.ts';
import { formatIpAddress, parseIpAddress } from '../../../../src/base/ip-address.ts';
import { blankRoute } from '../../../../src/node/desired/block-routes.ts';
import type { HostRoute } from '../../../../src/node/host-route.ts';
import { leftAddresses, podWays } from '../../../../src/node/kernel/forget-flows.ts';

const route = (cidr: string, device: string, more: Partial<HostRoute> = {}): HostRoute => ({
  ...blankRoute(parseCidr(cidr)),
  device,
  ...more,
});
const ALL = ['cali1', 'cali2', 'cali3', 'tap0', 'vxlan.calico'];
const seen = (podRoutes: readonly HostRoute[], routes: readonly HostRoute[], names = ALL) => ({
  ...{ podRoutes, routes },
  links: names.map((name) => ({ name })),
});
const left = (before: readonly HostRoute[], now: readonly HostRoute[], pods = before) => {
  const former = podWays(new Map(), seen(pods, before));
  return leftAddresses(former, podWays(former, seen([], now))).map(formatIpAddress);
};
const A = route('10.0.0.1/32', 'cali1');
const B = route('10.0.0.2/32', 'cali2');

describe('leftAddresses()', () => {
  it('are those of pods whose route has gone', () => {
    expect(left([A, B], [B])).toEqual(['10.0.0.1']);
    expect(left([A, route('fd00::1/128', 'cali1')], [])).toEqual(['10.0.0.1', 'fd00::1']);
  });

  it('are those that are behind another interface, or on another host', () => {
    expect(left([A, B], [B, route('10.0.0.1/32', 'cali3')])).toEqual(['10.0.0.1']);
    const away = route('10.0.0.1/32', 'vxlan.calico', { gateway: parseIpAddress('10.9.0.0') });
    expect(left([A, B], [B, away])).toEqual(['10.0.0.1']);
  });

  it('are none when nothing has changed but the metric, or what is nobody’s pod', () => {
    expect(left([A, B], [A, { ...B, metric: 1024 }])).toEqual([]);
    expect(left([A, route('10.0.0.9/32', 'tap0')], [A], [A])).toEqual([]);
    expect(left([A, route('10.8.0.0/24', 'cali1')], [A])).toEqual([]);
  });

  it('are known as long as the kernel has the route, also when the endpoint goes first', () => {
    const first = podWays(new Map(), seen([A], [A]));
    const second = podWays(first, seen([], [A]));
    expect(leftAddresses(first, second)).toEqual([]);
    expect(leftAddresses(second, podWays(second, seen([], []))).map(formatIpAddress)).toEqual(['10.0.0.1']);
  });

  it('are those whose interface has gone, although the routes have not been looked at since', () => {
    const first = podWays(new Map(), seen([A, B], []));
    const second = podWays(first, seen([B], [A], ['cali2']));
    expect(leftAddresses(first, second).map(formatIpAddress)).toEqual(['10.0.0.1']);
  });

  it('are none of a pod that is there and has lost its route to somebody', () => {
    const first = podWays(new Map(), seen([A, B], [A, B]));
    expect(leftAddresses(first, podWays(first, seen([A, B], [B])))).toEqual([]);
  });

  it('are told once', () => {
    const first = podWays(new Map(), seen([A], [A]));
    const second = podWays(first, seen([], []));
    expect(leftAddresses(first, second)).toHaveLength(1);
    expect(leftAddresses(second, podWays(second, seen([], [])))).toEqual([]);
  });
});
