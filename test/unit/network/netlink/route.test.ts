import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hostCidr, parseCidr } from '../../../../src/base/cidr.ts';
import { parseIpAddress } from '../../../../src/base/ip-address.ts';
import {
  decodeRoute,
  encodeRoute,
  matchRoute,
  type Route,
  replaceRoute,
} from '../../../../src/network/netlink/route.ts';
import {
  addresses,
  addressesOf,
  cidrsOf,
  families,
  indexes,
  orUndefined,
} from '../../../support/network-arbitraries.ts';

const routes: fc.Arbitrary<Route> = families.chain((family) =>
  fc.record({
    destination: cidrsOf(family),
    gateway: orUndefined(addressesOf(family)),
    ifIndex: orUndefined(indexes),
    table: fc.integer({ min: 1, max: 0xffffffff }),
    protocol: fc.nat(255),
    scope: fc.nat(255),
    type: fc.nat(11),
    metric: orUndefined(fc.nat()),
    isOnLink: orUndefined(fc.constant(true)),
    mtu: orUndefined(fc.nat(65_535)),
    source: orUndefined(addressesOf(family)),
  }),
) as fc.Arbitrary<Route>;

describe('decodeRoute()', () => {
  it('reads back what encodeRoute() wrote', () => {
    fc.assert(
      fc.property(routes, (route) => {
        expect(decodeRoute(encodeRoute(route))).toEqual(route);
      }),
    );
  });

  it('passes over routes of other protocols', () => {
    expect(decodeRoute(Buffer.alloc(12))).toBeUndefined();
  });

  it.each([
    ['cut short', '0220'],
    ['with a mask that no address has', '022100000000000000000000'],
    ['with an address of the other family', `02200000000000000000000014000100${'00'.repeat(16)}`],
    ['with half an address', '022000000000000000000000060001000a090000'],
  ])('passes over a route %s', (_what, hex) => {
    expect(decodeRoute(Buffer.from(hex, 'hex'))).toBeUndefined();
  });
});

describe('replaceRoute()', () => {
  it('says gateway, interface, that it is on the link, and the MTU', () => {
    const request = replaceRoute({
      ...{ destination: parseCidr('10.77.101.80/28'), gateway: parseIpAddress('10.77.101.80') },
      ...{ ifIndex: 7, table: 254, protocol: 202, scope: 0, type: 1, metric: undefined },
      ...{ isOnLink: true, mtu: 1450 },
    });

    expect(request).toMatchObject({ name: 'RTM_NEWROUTE', type: 24, flags: 0x500 });
    expect(Buffer.from(request.payload).toString('hex')).toBe(
      [
        ...['021c0000', 'feca0001', '04000000', '08000100' + '0a4d6550', '08000500' + '0a4d6550'],
        ...['08000400' + '07000000', '0c000800' + '08000200' + 'aa050000', '08000f00' + 'fe000000'],
      ].join(''),
    );
  });
});

describe('matchRoute()', () => {
  it('asks for exactly the address', () => {
    fc.assert(
      fc.property(addresses, (address) => {
        const asked = decodeRoute(Buffer.from(matchRoute(address).payload));
        expect(asked?.destination).toEqual(hostCidr(address));
      }),
    );
  });
});
