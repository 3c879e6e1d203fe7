import { describe, expect, it } from 'vitest';
import { parseIpAddress } from '../../../../src/base/ip-address.ts';
import { assignAddress } from '../../../../src/ipam/block/assign.ts';
import { attributeOf } from '../../../../src/ipam/block/attribute.ts';
import { giveBack } from '../../../../src/ipam/block/give-back.ts';
import { nextVersion } from '../../../../src/ipam/block/next-version.ts';
import { filledBlock } from '../support/blocks.ts';
import { blockViolations } from '../support/invariants.ts';

const ADDRESS = parseIpAddress('10.9.0.1');
const BEFORE = filledBlock(['net1.c0', 'net1.old', 'net1.c2']);
const FROM = attributeOf(BEFORE, 1);
const TAKEN = nextVersion(
  assignAddress(BEFORE, ADDRESS, {
    handleId: 'net1.new',
    owner: { node: 'node1', timestamp: 'later' },
    mayTakeFrom: () => true,
  }),
);
const TAKEN_OVER = FROM === undefined ? [] : [{ address: ADDRESS, from: FROM }];

describe('giveBack()', () => {
  it('makes the block what it was, but for its numbers', () => {
    const { block, givenBack } = giveBack(TAKEN, ['net1.new'], TAKEN_OVER);
    expect(givenBack).toEqual(TAKEN_OVER);
    const holders = [0, 1, 2].map((ordinal) => attributeOf(block, ordinal)?.handleId);
    expect(holders).toEqual(['net1.c0', 'net1.old', 'net1.c2']);
    expect(block.unallocated).toEqual(BEFORE.unallocated);
    expect(block.attributes).toHaveLength(3);
    expect(block.sequenceNumberForAllocation.get(1)).toBe(TAKEN.sequenceNumber);
    expect(blockViolations(nextVersion(block))).toEqual([]);
  });

  it.each([
    ['another handle holds', TAKEN, ['net1.c0']],
    ['is with its former holder already', BEFORE, ['net1.new']],
  ])('leaves alone what %s', (_what, block, handleIds) => {
    const after = giveBack(block, handleIds, TAKEN_OVER);
    expect(after).toEqual({ block, givenBack: [] });
    expect(after.block).toBe(block);
  });

  it('has nothing to do with addresses of another block', () => {
    const elsewhere = TAKEN_OVER.map((one) => ({ ...one, address: parseIpAddress('10.9.1.1') }));
    expect(giveBack(TAKEN, ['net1.new'], elsewhere).block).toBe(TAKEN);
  });
});
