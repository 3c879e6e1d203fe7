import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sha1Hex } from '../../../src/base/sha1.ts';

describe('sha1Hex()', () => {
  it.each([
    ['', 'da39a3ee5e6b4b0d3255bfef95601890afd80709'],
    ['abc', 'a9993e364706816aba3e25717850c26c9cd0d89d'],
  ])('of %j is the published value', (text, digest) => expect(sha1Hex(text)).toBe(digest));

  it.each([0, 1, 54, 55, 56, 57, 63, 64, 65, 119, 120, 128, 1000])('takes a text of %i bytes', (length) => {
    const text = 'x'.repeat(length);
    expect(sha1Hex(text)).toBe(createHash('sha1').update(text).digest('hex'));
  });

  it('is what Node.js computes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
        expect(sha1Hex(text)).toBe(createHash('sha1').update(text).digest('hex'));
      }),
    );
  });
});
