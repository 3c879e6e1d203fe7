import { describe, expect, it } from 'vitest';
import { formatCidr } from '../../../src/base/cidr.ts';
import { parseNewPool } from '../../../src/ipam/new-pool.ts';

describe('parseNewPool()', () => {
  it.each([
    ['192.168.0.0/16', undefined, 26],
    ['10.0.0.0/28', undefined, 28],
    ['fd00:9::/64', undefined, 122],
    ['10.0.0.0/16', 30, 30],
  ])('takes %s with block size %s as /%i blocks', (text, blockSize, expected) => {
    const pool = parseNewPool(text, blockSize, true);
    expect([formatCidr(pool.cidr), pool.blockSize]).toEqual([text, expected]);
  });

  it.each([
    ['192.168.0.0', undefined, /must be a CIDR/],
    ['pool', undefined, /must be a CIDR/],
    [
      '192.168.0.1/16',
      undefined,
      /192\.168\.0\.1 is not the first address of a \/16; did you mean 192\.168\.0\.0\/16\?/,
    ],
    ['192.168.0.0/16', 19, /must be 20 to 32, not 19/],
    ['fd00::/64', 64, /must be 116 to 128, not 64/],
    ['192.168.0.0/28', 26, /a block of \/26 does not fit/],
  ])('refuses %s with block size %s', (text, blockSize, message) => {
    expect(() => parseNewPool(text, blockSize, true)).toThrow(message);
  });
});
