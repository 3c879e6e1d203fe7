import { describe, expect, it } from 'vitest';
import { parseCidr } from '../../../../src/base/cidr.ts';
import { parseIpAddress } from '../../../../src/base/ip-address.ts';
import type { Route } from '../../../../src/network/netlink/route.ts';
import { blankRoute } from '../../../../src/node/desired/block-routes.ts';
import type { HostRoute } from '../../../../src/node/host-route.ts';
import { routeInterest } from '../../../../src/node/kernel/interest.ts';

const LINKS = ['lo', 'eth0', 'vxlan.calico', 'cali1', 'cali2', 'eth1'].map((name, index) => ({
  name,
  ifIndex: index + 1,
}));

function held(destination: string, device: string | undefined, protocol = 202): HostRoute {
  return { ...blankRoute(parseCidr(destination)), device, protocol };
}

const { isOfInterest, isToPod, carriesAny } = routeInterest({
  links: LINKS,
  ourNames: ['vxlan.calico'],
  wanted: [held('10.77.1.0/26', 'vxlan.calico'), held('10.77.2.5/32', 'vxlan.calico')],
  pods: [held('10.77.0.1/32', 'cali1')],
  routes: [
    held('10.77.1.0/26', 'vxlan.calico'),
    held('10.77.3.0/26', 'eth0'),
    held('10.77.4.9/32', 'eth0'),
    held('10.77.2.5/32', 'cali2', 3),
    held('10.77.0.1/32', 'cali1', 3),
    held('fe80::/64', 'cali1', 2),
    held('192.0.2.0/24', 'eth1', 4),
  ],
});

function told(destination: string, ifIndex: number, protocol = 3): Route {
  const gateway = parseIpAddress('10.50.0.1');
  const rest = { gateway, table: 254, scope: 253, type: 1, metric: undefined };
  return { destination: parseCidr(destination), ifIndex, protocol, ...rest };
}

describe('routeInterest()', () => {
  it.each([
    ['a pod', told('10.77.0.7/32', 4), false],
    ['a pod of IPv6', told('fd00::7/128', 4), false],
    ['what the kernel has on every interface', told('fe80::/64', 4, 2), false],
    ['a pod in the place of a wanted route', told('10.77.2.5/32', 4), true],
    ['a pod in the place of a route of ours', told('10.77.4.9/32', 4), true],
    ['a network', told('10.77.1.0/26', 6, 4), true],
    ['anything with our mark', told('10.77.0.7/32', 4, 202), true],
    ['anything on a device of ours', told('10.77.0.7/32', 3), true],
  ])('knows whether a route to %s matters', (_, route, matters) => {
    expect(isOfInterest(route)).toBe(matters);
  });

  it.each([
    ['a pod that is here', told('10.77.0.1/32', 4), true],
    ['its address elsewhere', told('10.77.0.1/32', 2), false],
    ['another address on its interface', told('10.77.0.9/32', 4), false],
    ['an address without an interface', { ...told('10.77.0.1/32', 4), ifIndex: undefined }, false],
  ])('knows whether a route is the way to a pod: %s', (_, route, isOne) => {
    expect(isToPod(route)).toBe(isOne);
  });

  it('knows with which interfaces routes can go that matter', () => {
    const carriers = LINKS.filter(({ ifIndex }) => carriesAny(ifIndex)).map(({ name }) => name);
    expect(carriers).toEqual(['lo', 'eth0', 'vxlan.calico', 'cali2', 'eth1']);
    expect(carriesAny(99)).toBe(false);
  });
});
