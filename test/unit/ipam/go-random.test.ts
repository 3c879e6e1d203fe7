import { describe, expect, it } from 'vitest';
import { goRandomBelow } from '../../../src/ipam/go-random.ts';

describe('goRandomBelow()', () => {
  /** Drawn by Go itself: the seed is FNV-1 of a node's name, the limits are counts of blocks. */
  it.each([
    ['node-a', 568266999, [1, 2, 10, 698, 15034]],
    ['node-b', 568266996, [1, 1, 9, 873, 14104]],
    ['node1', 3957252814, [0, 2, 7, 666, 5716]],
    ['host-a', 1258779341, [0, 0, 15, 216, 6360]],
  ])('draws for %s what Go draws', (_node, seed, expected) => {
    const limits = [2n, 4n, 16n, 1024n, 16384n];
    expect(limits.map((limit) => Number(goRandomBelow(seed, limit)))).toEqual(expected);
  });

  it('stays below its limit, whatever the limit', () => {
    for (const limit of [1n, 3n, 1000n, 2n ** 64n, 2n ** 64n + 1n, 2n ** 108n]) {
      expect(goRandomBelow(7, limit)).toBeLessThan(limit);
    }
  });
});
