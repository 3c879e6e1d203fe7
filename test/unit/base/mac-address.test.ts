import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatIpAddress } from '../../../src/base/ip-address.ts';
import {
  HOST_SIDE_MAC,
  linkLocalOf,
  macAddressFromBytes,
  macAddressToBytes,
  parseMacAddress,
  randomMacAddress,
} from '../../../src/base/mac-address.ts';

describe('parseMacAddress()', () => {
  it.each([['AA:bb:CC:dd:EE:ff'], ['aa-bb-cc-dd-ee-ff'], ['aabb.ccdd.eeff']])('reads %s', (text) => {
    expect(parseMacAddress(text)).toBe('aa:bb:cc:dd:ee:ff');
  });

  it.each([
    '',
    'aa:bb:cc:dd:ee',
    'aa:bb:cc:dd:ee:ff:00',
    'aa:bb-cc:dd:ee:ff',
    'aabbccddeeff',
    'gg:bb:cc:dd:ee:ff',
  ])('refuses %j', (text) => {
    expect(() => parseMacAddress(text)).toThrow(`invalid MAC address: ${JSON.stringify(text)}`);
  });

  it('reads back the bytes it is made of', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 6, maxLength: 6 }), (bytes) => {
        expect(macAddressToBytes(macAddressFromBytes(bytes))).toEqual(bytes);
      }),
    );
  });
});

describe('randomMacAddress()', () => {
  it('is unicast and locally administered, whatever the chance', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 6, maxLength: 6 }), (bytes) => {
        expect((macAddressToBytes(randomMacAddress(bytes))[0] ?? 0) & 0b11).toBe(0b10);
      }),
    );
  });
});

describe('linkLocalOf()', () => {
  it('is EUI-64 with the universal bit flipped', () => {
    expect(formatIpAddress({ family: 6, value: linkLocalOf(HOST_SIDE_MAC) })).toBe(
      'fe80::ecee:eeff:feee:eeee',
    );
  });
});
