/** Random addresses, networks and names for property tests of the network room. */

import fc from 'fast-check';
import { type Cidr, cidrOf } from '../../src/base/cidr.ts';
import { addressBits, type IpAddress, type IpFamily } from '../../src/base/ip-address.ts';
import { type MacAddress, macAddressFromBytes } from '../../src/base/mac-address.ts';

export const families: fc.Arbitrary<IpFamily> = fc.constantFrom<IpFamily>(4, 6);

export function addressesOf(family: IpFamily): fc.Arbitrary<IpAddress> {
  const bits = BigInt(addressBits(family));
  return fc.bigInt(0n, (1n << bits) - 1n).map((value) => ({ family, value }));
}

export const addresses: fc.Arbitrary<IpAddress> = families.chain(addressesOf);

export function cidrsOf(family: IpFamily): fc.Arbitrary<Cidr> {
  return fc
    .tuple(addressesOf(family), fc.nat(addressBits(family)))
    .map(([address, prefixLength]) => cidrOf(address, prefixLength));
}

export const macs: fc.Arbitrary<MacAddress> = fc
  .uint8Array({ minLength: 6, maxLength: 6 })
  .map(macAddressFromBytes);

/** At most 15 bytes, without what the kernel forbids. */
export const ifNames: fc.Arbitrary<string> = fc.stringMatching(/^[a-z0-9._-]{1,15}$/);

export const indexes: fc.Arbitrary<number> = fc.integer({ min: 1, max: 0x7fffffff });

export function orUndefined<T>(values: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> {
  return fc.option(values, { nil: undefined });
}
