import { describe, expect, it } from 'vitest';
import { autoAssign } from '../../../../src/ipam/block/auto-assign.ts';
import { nextVersion } from '../../../../src/ipam/block/next-version.ts';
import { releaseByHandle } from '../../../../src/ipam/block/release.ts';
import { emptyBlock, filledBlock, legacyBlock, take } from '../support/blocks.ts';
import { NOW_NS } from '../support/cluster.ts';

const request = { count: 1, handleId: 'net1.c1', owner: { node: 'node1' }, reservations: [] };

describe('autoAssign()', () => {
  it('takes the head of unallocated', () => {
    const { block, addresses } = take({ ...emptyBlock(), unallocated: [5, 2, 0] }, 'net1.c1');
    expect(addresses).toEqual(['10.9.0.5']);
    expect(block.unallocated).toEqual([2, 0]);
    expect(block.allocations[5]).toBe(0);
  });

  it('leaves the block it was given as it was', () => {
    const before = emptyBlock();
    take(before, 'net1.c1');
    expect(before).toEqual(emptyBlock());
  });

  it('passes over reserved ordinals and leaves them in their place', () => {
    const { block, addresses } = take(emptyBlock(), 'net1.c1', 3, ['10.9.0.0/31', '10.9.0.3/32']);
    expect(addresses).toEqual(['10.9.0.2', '10.9.0.4', '10.9.0.5']);
    expect(block.unallocated).toEqual([0, 1, 3, 6, 7]);
  });

  it('gives nothing of a block that is reserved as a whole, and the same block', () => {
    const before = emptyBlock();
    expect(take(before, 'net1.c1', 1, ['10.0.0.0/8'])).toEqual({ block: before, addresses: [] });
  });

  it('gives fewer addresses than asked for when there are no more', () => {
    expect(take(emptyBlock('10.9.0.0/30'), 'net1.c1', 9).addresses).toHaveLength(4);
  });

  it('lets all addresses of one call share an attribute', () => {
    const { block } = take(emptyBlock(), 'net1.c1', 3);
    expect(block.attributes).toHaveLength(1);
    expect(block.allocations.slice(0, 4)).toEqual([0, 0, 0, null]);
  });

  it('shares an attribute only with an equal owner', () => {
    const once = autoAssign(emptyBlock(), { ...request, owner: { node: 'node1', timestamp: 'a' } }).block;
    const same = autoAssign(once, { ...request, owner: { node: 'node1', timestamp: 'a' } }).block;
    const other = autoAssign(once, { ...request, owner: { node: 'node1', timestamp: 'b' } }).block;
    expect(same.attributes).toHaveLength(1);
    expect(other.attributes).toHaveLength(2);
  });

  it('numbers an ordinal with the block it was taken from, and the block goes on by one per update', () => {
    const before = emptyBlock();
    const { block } = take(before, 'net1.c1', 3);
    const after = nextVersion(block);
    expect(after.sequenceNumber).toBe(before.sequenceNumber + 1n);
    expect([...after.sequenceNumberForAllocation]).toEqual([0, 1, 2].map((o) => [o, before.sequenceNumber]));
  });

  it('works on a block of 2021: its first update is number 1, the new ordinal gets 0', () => {
    const after = nextVersion(take(legacyBlock(), 'net1.c1').block);
    expect(after.sequenceNumber).toBe(1n);
    expect([...after.sequenceNumberForAllocation]).toEqual([[2, 0n]]);
    expect(after.attributes).toHaveLength(3);
  });

  it('comes back to the first address only after all others', () => {
    const handles = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
    const drained = handles.reduce(
      (block, handle) => releaseByHandle(take(block, handle).block, handle, NOW_NS, 0).block,
      emptyBlock(),
    );
    expect(take(drained, 'i').addresses).toEqual(['10.9.0.0']);
  });

  it.each([
    { affinity: 'host:node2', message: 'Block host affinity does not match' },
    { affinity: undefined, message: 'Attempt to assign from block 10.9.0.0/29 with no affinity' },
  ])('refuses a block of $affinity to node1 under strict affinity', ({ affinity, message }) => {
    const block = { ...emptyBlock(), affinity };
    expect(() => autoAssign(block, { ...request, affinityCheck: 'host:node1' })).toThrow(message);
    expect(autoAssign(block, request).addresses).toHaveLength(1);
  });

  it('does not touch what others hold', () => {
    const before = filledBlock(['a', 'b']);
    const { block } = take(before, 'c');
    expect(block.allocations.slice(0, 3)).toEqual([0, 1, 2]);
    expect(block.attributes.slice(0, 2)).toEqual(before.attributes);
  });
});
