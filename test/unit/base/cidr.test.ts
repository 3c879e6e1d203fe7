import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  addressCount,
  cidrOf,
  containsAddress,
  containsCidr,
  formatCidr,
  formatIpNetwork,
  hostCidr,
  parseCidr,
  tryParseCidr,
  tryParseIpNetwork,
} from '../../../src/base/cidr.ts';
import {
  addressBits,
  formatIpAddress,
  type IpAddress,
  ipAddressFromBytes,
  ipAddressToBytes,
  parseIpAddress,
  tryParseIpAddress,
} from '../../../src/base/ip-address.ts';

const addresses: fc.Arbitrary<IpAddress> = fc.oneof(
  fc.bigInt(0n, 2n ** 32n - 1n).map((value): IpAddress => ({ family: 4, value })),
  // Below ::1:0:0:0 lies ::ffff:0:0/96, whose addresses are read as IPv4.
  fc.bigInt(2n ** 48n, 2n ** 128n - 1n).map((value): IpAddress => ({ family: 6, value })),
);

describe('tryParseIpAddress()', () => {
  it.each([
    ['10.77.0.160', 4, '10.77.0.160'],
    ['FD77:0:0::A0', 6, 'fd77::a0'],
    ['::ffff:10.1.2.3', 4, '10.1.2.3'],
    ['::10.1.2.3', 6, '::a01:203'],
    ['64:ff9b::10.1.2.3', 6, '64:ff9b::a01:203'],
    ['::', 6, '::'],
    ['2001:db8:0:0:1:0:0:1', 6, '2001:db8::1:0:0:1'],
  ])('reads %s as IPv%i', (text, family, canonical) => {
    const address = parseIpAddress(text);
    expect(address.family).toBe(family);
    expect(formatIpAddress(address)).toBe(canonical);
  });

  it.each([
    '',
    '10.1',
    '10.1.2.3.4',
    '010.1.2.3',
    '0x7f.1.1.1',
    '::ffff:010.1.2.3',
    '::10.1.2',
    '256.1.1.1',
    '10.0.0.1/24',
    'fe80::1%eth0',
    'g::',
    '1::2::3',
    ' 10.0.0.1',
  ])('refuses %j', (text) => {
    expect(tryParseIpAddress(text)).toBeUndefined();
    expect(() => parseIpAddress(text)).toThrow(JSON.stringify(text));
  });

  it('reads back what is printed, and bytes too', () => {
    fc.assert(
      fc.property(addresses, (address) => {
        expect(tryParseIpAddress(formatIpAddress(address))).toEqual(address);
        expect(ipAddressFromBytes(ipAddressToBytes(address))).toEqual(address);
      }),
    );
  });
});

describe('a CIDR', () => {
  it('is masked, whatever host bits it is written with', () => {
    expect(formatCidr(parseCidr('192.168.166.143/26'))).toBe('192.168.166.128/26');
    expect(formatCidr(parseCidr('5001:0:0:1b::/64'))).toBe('5001:0:0:1b::/64');
  });

  it('keeps its host bits as a network of an address', () => {
    const network = tryParseIpNetwork('10.77.0.3/28');
    expect(network && formatIpNetwork(network)).toBe('10.77.0.3/28');
  });

  it.each([
    '10.0.0.0',
    '10.0.0.0/33',
    '10.0.0.0/-1',
    '10.0.0.0/08',
    'fd00::/129',
    '/24',
    '10.0.0.0/',
    '10.0.0.0/24/1',
  ])('is not %j', (text) => {
    expect(tryParseCidr(text)).toBeUndefined();
    expect(() => parseCidr(text)).toThrow(`invalid CIDR: ${JSON.stringify(text)}`);
  });

  it('holds its own addresses and no others', () => {
    fc.assert(
      fc.property(addresses, fc.integer({ min: 0, max: 128 }), (address, length) => {
        const cidr = cidrOf(address, Math.min(length, addressBits(address.family)));
        expect(containsAddress(cidr, address)).toBe(true);
        expect(containsCidr(cidr, hostCidr(address))).toBe(true);
        expect(containsAddress(cidr, { ...address, value: cidr.base - 1n })).toBe(false);
        expect(containsAddress(cidr, { ...address, value: cidr.base + addressCount(cidr) })).toBe(false);
      }),
    );
  });

  it('holds no address of the other family', () => {
    expect(containsAddress(parseCidr('::/0'), parseIpAddress('10.0.0.1'))).toBe(false);
  });
});
