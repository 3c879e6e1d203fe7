import { describe, expect, it } from 'vitest';
import { collectGarbage } from '../../../../src/ipam/block/collect.ts';
import { releaseByHandle } from '../../../../src/ipam/block/release.ts';
import { filledBlock, legacyBlock } from '../support/blocks.ts';
import { NOW_NS } from '../support/cluster.ts';

const SECOND = 1_000_000_000n;

/** Ordinals 1 and 0 were released in this order at NOW_NS and cool down. */
function coolingBlock() {
  const { block } = releaseByHandle(filledBlock(['a', 'b', 'c']), 'b', NOW_NS, 20);
  return releaseByHandle(block, 'a', NOW_NS, 20).block;
}

describe('collectGarbage()', () => {
  it('returns the same block when there is nothing to do', () => {
    const block = filledBlock(['a', 'b']);
    expect(collectGarbage(block, NOW_NS, 0)).toBe(block);
    expect(collectGarbage(coolingBlock(), NOW_NS, 20)).toEqual(coolingBlock());
  });

  it.each([
    { seconds: 19, free: false },
    // Stored times have no fraction: 12.5 is stored as 12.
    { seconds: 20, free: true },
    { seconds: 3600, free: true },
    { seconds: -3600, free: false },
  ])('after $seconds of 20 seconds the ordinal is free: $free', ({ seconds, free }) => {
    const { unallocated } = collectGarbage(coolingBlock(), NOW_NS + BigInt(seconds) * SECOND, 20);
    expect(unallocated.includes(0)).toBe(free);
  });

  it('frees in the order of ordinals, not of release', () => {
    const block = collectGarbage(coolingBlock(), NOW_NS + 60n * SECOND, 20);
    expect(block.unallocated).toEqual([3, 4, 5, 6, 7, 0, 1]);
    expect(block.allocations.slice(0, 3)).toEqual([null, null, 0]);
    expect([...block.sequenceNumberForAllocation.keys()]).toEqual([2]);
  });

  it.each([0, -1])('frees at once with a cooldown of %d, also within the same nanosecond', (cooldown) => {
    const wholeSecondNs = (NOW_NS / SECOND) * SECOND;
    expect(collectGarbage(coolingBlock(), wholeSecondNs, cooldown).unallocated).toContain(0);
  });

  it('frees an ordinal whose time of release cannot be read', () => {
    const block = coolingBlock();
    const attributes = block.attributes.map((attribute) =>
      attribute.releasedAt === undefined ? attribute : { ...attribute, releasedAt: 'yesterday' },
    );
    expect(collectGarbage({ ...block, attributes }, NOW_NS, 20).unallocated).toContain(0);
  });

  it('drops attributes that nothing refers to and keeps the one that is empty but in use', () => {
    const block = { ...legacyBlock(), allocations: [null, 1, null, null, null, null, null, null] };
    const collected = collectGarbage(block, NOW_NS, 0);
    expect(collected.attributes).toEqual([block.attributes[1]]);
    expect(collected.allocations[1]).toBe(0);
  });
});
