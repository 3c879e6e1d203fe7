/** What a decision may cost. The limits are generous for slow machines; what they forbid is another order of growth. */

import { describe, expect, it } from 'vitest';
import { formatCidr, parseCidr } from '../../../src/base/cidr.ts';
import type { AllocationBlock } from '../../../src/ipam/allocation-block.ts';
import { planAssignment } from '../../../src/ipam/plan-assignment.ts';
import { planRelease } from '../../../src/ipam/plan-release.ts';
import { emptyBlock, take } from './support/blocks.ts';
import { assignmentRequest, cluster, firstFacts, NOW_NS, pool } from './support/cluster.ts';

/** The fastest of many runs, in milliseconds: the others met the garbage collector or a neighbour. */
function fastestMs(runs: number, work: () => void): number {
  const times = Array.from({ length: runs }, () => {
    const start = performance.now();
    work();
    return performance.now() - start;
  });
  return Math.min(...times);
}

function podBlock(cidr: string, pods: number): AllocationBlock {
  return Array.from({ length: pods }, (_, index) => `net1.${index}`).reduce(
    (block, handleId) => take(block, handleId).block,
    emptyBlock(cidr),
  );
}

describe('planAssignment()', () => {
  it('takes well under a millisecond for a node with one block of 60 pods', () => {
    const block = { value: podBlock('10.9.0.0/26', 60), revision: '7' };
    const first = firstFacts(cluster({ pools: [pool('10.9.0.0/16', 26)] }), 'node1', ['net1.new']);
    const affinity = {
      cidr: block.value.cidr,
      revision: '3',
      value: { state: 'confirmed', unknownFields: {} },
    } as const;
    const facts = { ...first, affinities: [affinity], blocks: new Map([['10.9.0.0/26', block]]) };
    const request = assignmentRequest('node1', 'net1.new');
    expect(planAssignment(request, facts).outcome).toBe('assigned');
    expect(fastestMs(300, () => planAssignment(request, facts))).toBeLessThan(0.5);
  });

  it('takes a few milliseconds for a block of 4096 addresses', () => {
    const block = { value: take(emptyBlock('10.9.0.0/20'), 'net1.many', 4000).block, revision: '7' };
    const first = firstFacts(cluster({ pools: [pool('10.9.0.0/16', 20)] }), 'node1', ['net1.new']);
    const affinity = {
      cidr: block.value.cidr,
      revision: '3',
      value: { state: 'confirmed', unknownFields: {} },
    } as const;
    const facts = { ...first, affinities: [affinity], blocks: new Map([['10.9.0.0/20', block]]) };
    expect(fastestMs(30, () => planAssignment(assignmentRequest('node1', 'net1.new'), facts))).toBeLessThan(
      10,
    );
  });

  it('searches a listing of 5000 blocks in milliseconds', () => {
    const first = firstFacts(cluster({ pools: [pool('10.0.0.0/8', 26)] }), 'node1', ['net1.new']);
    const base = parseCidr('10.0.0.0/8').base;
    const start = 193_560n;
    const names = Array.from({ length: 5000 }, (_, index) =>
      formatCidr({ family: 4, base: base + ((start + BigInt(index)) % 262_144n) * 64n, prefixLength: 26 }),
    );
    const facts = { ...first, blockListings: new Map([[4, new Set(names)]] as const) };
    const plan = () => planAssignment(assignmentRequest('node1', 'net1.new'), facts);
    expect(plan().outcome).toBe('assigned');
    expect(fastestMs(10, plan)).toBeLessThan(60);
  });
});

describe('planRelease()', () => {
  it('takes well under a millisecond for a block of 60 pods', () => {
    const block = { value: podBlock('10.9.0.0/26', 60), revision: '7' };
    const handle = {
      revision: '5',
      value: { addressCounts: new Map([['10.9.0.0/26', 1]]), unknownFields: {} },
    };
    const facts = {
      ...firstFacts(cluster(), 'node1', []),
      handles: new Map([['net1.30', handle]]),
      blocks: new Map([['10.9.0.0/26', block]]),
    };
    const request = { handleIds: ['net1.30'], nodeName: 'node1', nowNs: NOW_NS };
    expect(planRelease(request, facts).outcome).toBe('released');
    expect(fastestMs(300, () => planRelease(request, facts))).toBeLessThan(0.5);
  });
});
