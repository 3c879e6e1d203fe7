import { describe, expect, it } from 'vitest';
import { isCalicoError } from '../../../../src/base/calico-error.ts';
import { releaseByHandle, releaseOrdinals } from '../../../../src/ipam/block/release.ts';
import { isEmpty } from '../../../../src/ipam/block/usage.ts';
import { emptyBlock, filledBlock, legacyBlock, take } from '../support/blocks.ts';
import { NOW_NS } from '../support/cluster.ts';

describe('releaseByHandle()', () => {
  it('puts the ordinals at the tail of the queue', () => {
    const once = releaseByHandle(filledBlock(['a', 'b']), 'b', NOW_NS, 0);
    const twice = releaseByHandle(once.block, 'a', NOW_NS, 0);
    expect(twice.block.unallocated).toEqual([2, 3, 4, 5, 6, 7, 1, 0]);
    expect(twice.block.attributes).toEqual([]);
    expect(twice.block.sequenceNumberForAllocation.size).toBe(0);
    expect(isEmpty(twice.block)).toBe(true);
  });

  it('renumbers the attributes that are left, in their order', () => {
    const { block } = releaseByHandle(filledBlock(['a', 'b', 'c']), 'a', NOW_NS, 0);
    expect(block.allocations.slice(0, 3)).toEqual([null, 0, 1]);
    expect(block.attributes.map(({ handleId }) => handleId)).toEqual(['b', 'c']);
  });

  it('lets ordinals cool down behind one attribute that has no handle', () => {
    const { block, released } = releaseByHandle(filledBlock(['a', 'b', 'c', 'd']), 'a', NOW_NS, 20);
    expect(released).toEqual([0]);
    expect(block.allocations.slice(0, 4)).toEqual([3, 0, 1, 2]);
    expect(block.attributes[3]).toMatchObject({ handleId: undefined, releasedAt: '2026-11-21T10:38:12Z' });
    expect(block.unallocated).toEqual([4, 5, 6, 7]);
    expect(block.sequenceNumberForAllocation.get(0)).toBe(NOW_NS);
  });

  it('finds a handle that an old migration damaged', () => {
    const block = filledBlock(['net1.c1\r\ngarbage']);
    expect(releaseByHandle(block, 'net1.c1', NOW_NS, 0).released).toEqual([0]);
    expect(releaseByHandle(filledBlock(['net1.c1']), 'net1.c1\rx', NOW_NS, 0).released).toEqual([0]);
  });

  it('releases everything the handle has, except what it shall keep', () => {
    const { block } = take(emptyBlock(), 'a', 3);
    expect(releaseByHandle(block, 'a', NOW_NS, 0, new Set([1])).released).toEqual([0, 2]);
  });

  it('returns the same block for a handle it does not know', () => {
    const block = filledBlock(['a']);
    expect(releaseByHandle(block, 'b', NOW_NS, 0)).toEqual({ block, released: [] });
    expect(releaseByHandle(block, 'b', NOW_NS, 0).block).toBe(block);
  });

  it('works on a block of 2021', () => {
    const { block } = releaseByHandle(legacyBlock(), 'net1.old', NOW_NS, 0);
    expect(block.allocations.slice(0, 2)).toEqual([null, 0]);
    expect(block.unallocated).toEqual([2, 3, 4, 5, 6, 7, 0]);
  });
});

describe('releaseOrdinals()', () => {
  it('releases what is held as stated', () => {
    const { block, released } = releaseOrdinals(
      filledBlock(['a', 'b']),
      [{ ordinal: 1, handleId: 'b', sequenceNumber: NOW_NS + 1n }],
      NOW_NS,
      0,
    );
    expect(released).toEqual([1]);
    expect(block.unallocated.at(-1)).toBe(1);
  });

  it('does nothing for ordinals that are free, in cooldown or named twice', () => {
    const cooling = releaseByHandle(filledBlock(['a', 'b']), 'a', NOW_NS, 20).block;
    const again = releaseOrdinals(cooling, [{ ordinal: 0 }, { ordinal: 5 }], NOW_NS, 20);
    expect(again).toEqual({ block: cooling, released: [] });
    expect(releaseOrdinals(cooling, [{ ordinal: 1 }, { ordinal: 1 }], NOW_NS, 20).released).toEqual([1]);
  });

  it('marks cooling ordinals with the number of the block', () => {
    const before = filledBlock(['a', 'b']);
    const { block } = releaseOrdinals(before, [{ ordinal: 0 }], NOW_NS, 20);
    expect(block.sequenceNumberForAllocation.get(0)).toBe(before.sequenceNumber);
  });

  it.each([
    {
      wrong: 'handle',
      release: { ordinal: 0, handleId: 'x' },
      message: 'the given handle (x) does not match (a) when attempting to release IP',
    },
    {
      wrong: 'sequence number',
      release: { ordinal: 0, sequenceNumber: 7n },
      message: `the given sequence number (7) does not match (${NOW_NS}) when attempting to release IP`,
    },
    {
      wrong: 'sequence number of a free ordinal',
      release: { ordinal: 5, sequenceNumber: 7n },
      message: 'the given sequence number (7) does not match (0) when attempting to release IP',
    },
  ])('is a conflict when the $wrong is another by now, and nothing is released', ({ release, message }) => {
    const act = () => releaseOrdinals(filledBlock(['a', 'b']), [{ ordinal: 1 }, release], NOW_NS, 0);
    expect(act).toThrow(message);
    expect(act).toThrow(expect.toSatisfy((error) => isCalicoError(error, 'conflict')));
  });
});
