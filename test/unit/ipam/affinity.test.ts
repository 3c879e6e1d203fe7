import { describe, expect, it } from 'vitest';
import { isReclaimable, nodeOfAffinity, standingOf } from '../../../src/ipam/affinity.ts';
import { releaseByHandle } from '../../../src/ipam/block/release.ts';
import { emptyBlock, filledBlock } from './support/blocks.ts';
import { NOW_NS } from './support/cluster.ts';

const SECOND = 1_000_000_000n;

describe('standingOf()', () => {
  it.each([
    { is: 'ours', when: 'the block says so', affinity: 'host:node1' },
    { is: 'foreign', when: 'it names another node', affinity: 'host:node2' },
    { is: 'foreign', when: 'it names an owner that is no node', affinity: 'virtual:load-balancer' },
    { is: 'adoptable', when: 'nobody claims it and only we are in it', affinity: undefined },
  ])('is $is when $when', ({ is, affinity }) => {
    expect(standingOf({ ...filledBlock(['a']), affinity }, 'node1')).toBe(is);
  });

  it('is foreign when nobody claims it but another node is in it', () => {
    expect(standingOf({ ...filledBlock(['a']), affinity: undefined }, 'node2')).toBe('foreign');
  });

  it('is adoptable for anybody when nobody claims it and what is in it only cools down', () => {
    const { block } = releaseByHandle(filledBlock(['a']), 'a', NOW_NS, 20);
    expect(standingOf({ ...block, affinity: undefined }, 'node2')).toBe('adoptable');
  });

  it('is missing when there is no block', () => expect(standingOf(undefined, 'node1')).toBe('missing'));
});

describe('isReclaimable()', () => {
  it.each([
    { seconds: 60n, reclaimable: false },
    { seconds: 61n, reclaimable: true },
  ])('of an empty block after $seconds seconds is $reclaimable', ({ seconds, reclaimable }) => {
    const claimedNs = (NOW_NS / SECOND) * SECOND;
    expect(isReclaimable(emptyBlock(), claimedNs + seconds * SECOND)).toBe(reclaimable);
  });

  it('takes a block without claim time as old', () =>
    expect(isReclaimable({ ...emptyBlock(), affinityClaimTime: undefined }, NOW_NS)).toBe(true));

  it.each([
    { what: 'is used', block: filledBlock(['a']) },
    { what: 'cools down', block: releaseByHandle(filledBlock(['a']), 'a', NOW_NS, 9999).block },
    { what: 'is no node’s', block: emptyBlock('10.9.0.0/30', 'virtual:load-balancer') },
    { what: 'is nobody’s', block: { ...emptyBlock(), affinity: undefined } },
  ])('is false of a block that $what', ({ block }) =>
    expect(isReclaimable(block, NOW_NS + 3600n * SECOND)).toBe(false),
  );
});

describe('nodeOfAffinity()', () => {
  it.each([
    ['host:node1', 'node1'],
    ['host:a:b', 'a:b'],
    ['virtual:x', undefined],
    [undefined, undefined],
  ])('of %s is %s', (affinity, nodeName) => expect(nodeOfAffinity(affinity)).toBe(nodeName));
});
