import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeAddress,
  encodeAddress,
  type InterfaceAddress,
} from '../../../../src/network/netlink/address.ts';
import { addresses, indexes } from '../../../support/network-arbitraries.ts';

const interfaceAddresses: fc.Arbitrary<InterfaceAddress> = fc.record({
  ifIndex: indexes,
  network: fc.record({ address: addresses, prefixLength: fc.nat(32) }),
  scope: fc.nat(255),
  flags: fc.nat(0xffff),
});

describe('decodeAddress()', () => {
  it('reads back what encodeAddress() wrote', () => {
    fc.assert(
      fc.property(interfaceAddresses, (address) => {
        expect(decodeAddress(encodeAddress(address))).toEqual(address);
      }),
    );
  });

  it('passes over what is no IP address', () => {
    expect(decodeAddress(Buffer.alloc(8))).toBeUndefined();
  });
});
