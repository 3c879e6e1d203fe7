import { expect, it } from 'vitest';
import { isLinkLocal, parseIpAddress } from '../../../src/base/ip-address.ts';

it.each([
  ['fe80::1', true],
  ['febf:ffff::1', true],
  ['fec0::1', false],
  ['fe7f::1', false],
  ['169.254.1.1', false],
])('isLinkLocal() of %s: %s', (address, expected) => {
  expect(isLinkLocal(parseIpAddress(address))).toBe(expected);
});
