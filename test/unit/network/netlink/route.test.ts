import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hostCidr } from '../../../../src/base/cidr.ts';
import { decodeRoute, encodeRoute, matchRoute, type Route } from '../../../../src/network/netlink/route.ts';
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
  }),
);

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
