import { describe, expect, it } from 'vitest';
import { fnv1, fnv1a64Hex } from '../../../src/base/fnv.ts';

describe('hashes', () => {
  it.each([
    ['node-a', 568266999],
    ['node-b', 568266996],
    ['node1', 3957252814],
    ['host-a', 1258779341],
  ])('fnv1(%j) is what Go computes', (text, hash) => expect(fnv1(text)).toBe(hash));

  it.each([
    ['', 'cbf29ce484222325'],
    ['a', 'af63dc4c8601ec8c'],
    ['foobar', '85944171f73967e8'],
  ])('fnv1a64Hex(%j) is the published value', (text, hash) => expect(fnv1a64Hex(text)).toBe(hash));
});
