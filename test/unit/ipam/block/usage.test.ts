import { describe, expect, it } from 'vitest';
import { parseCidr } from '../../../../src/base/cidr.ts';
import { releaseByHandle } from '../../../../src/ipam/block/release.ts';
import { freeCount, isEmpty, ordinalsOfHandle } from '../../../../src/ipam/block/usage.ts';
import { emptyBlock, filledBlock, take } from '../support/blocks.ts';
import { NOW_NS } from '../support/cluster.ts';

describe('isEmpty()', () => {
  it('is true of a new block', () => expect(isEmpty(emptyBlock())).toBe(true));
  it('is false while somebody holds an address', () => expect(isEmpty(filledBlock(['a']))).toBe(false));
  it('is false while an address cools down', () =>
    expect(isEmpty(releaseByHandle(filledBlock(['a']), 'a', NOW_NS, 20).block)).toBe(false));
  it('does not count what Windows sets aside, in any case of letters', () =>
    expect(isEmpty(filledBlock(['Windows-Reserved-IPAM-Handle']))).toBe(true));
  it('finds an attribute that does not exist corrupt', () =>
    expect(() => isEmpty({ ...filledBlock(['a']), attributes: [] })).toThrow(
      'block 10.9.0.0/29: ordinal 0 refers to attribute 0, which does not exist',
    ));
});

describe('freeCount()', () => {
  it.each([
    [[], 7],
    [['10.9.0.0/31'], 6],
    [['10.9.0.0/30', '10.9.0.4/30'], 0],
    [['10.0.0.0/8'], 0],
    [['10.9.1.0/24', 'fd00::/8'], 7],
    [['10.9.0.4/32', '10.9.0.4/31', '10.9.0.4/30'], 3],
  ])('of a block with one address taken, reserved %j, is %d', (reserved, count) => {
    expect(freeCount(filledBlock(['a']), reserved.map(parseCidr))).toBe(count);
  });
});

describe('ordinalsOfHandle()', () => {
  it('finds all of them, under however many attributes', () => {
    const block = filledBlock(['b', 'a'], take(emptyBlock(), 'a', 2).block);
    expect(ordinalsOfHandle(block, 'a')).toEqual([0, 1, 3]);
    expect(ordinalsOfHandle(block, 'c')).toEqual([]);
  });
});
