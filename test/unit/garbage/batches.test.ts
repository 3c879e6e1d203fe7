import { describe, expect, it } from 'vitest';
import { parseCidr } from '../../../src/base/cidr.ts';
import { MAX_OPERATIONS } from '../../../src/datastore/store.ts';
import { batches } from '../../../src/garbage/batches.ts';
import { collectionRanges } from '../../../src/garbage/decide-collection.ts';
import type { Leak } from '../../../src/garbage/leak.ts';
import type { SeenAllocation } from '../../../src/ipam/plan-collection.ts';

const allocation = (containerId: string, block: number): SeenAllocation => ({
  block: parseCidr(`10.9.${block}.0/26`),
  ordinal: 0,
  handleId: `net1.${containerId}`,
  sequenceNumber: 1n,
  owner: {},
});

function leak(containerId: string, blocks: readonly number[]): Leak {
  return { containerId, allocations: blocks.map((block) => allocation(containerId, block)), endpoints: [] };
}

describe('batches()', () => {
  it('holds every leak, in transactions and reads that etcd takes', () => {
    const leaks = Array.from({ length: 300 }, (_, i) => leak(`c${i}`, [i % 40, (i * 7) % 40]));
    const all = batches(leaks);
    expect(all.flat().map(({ containerId }) => containerId)).toHaveLength(300);
    for (const batch of all) {
      const blocks = new Set(batch.flatMap(({ allocations }) => allocations.map(({ block }) => block.base)));
      expect(blocks.size + batch.length).toBeLessThan(MAX_OPERATIONS);
      const ranges = collectionRanges({ leaks: batch, nodeName: 'node1', nowNs: 0n });
      expect(ranges.length).toBeLessThan(MAX_OPERATIONS);
    }
  });

  it('cuts up what one container holds, and takes its endpoint first', () => {
    const blocks = Array.from({ length: 100 }, (_, i) => i);
    const endpoints = [{ name: 'e' }] as unknown as Leak['endpoints'];
    const all = batches([{ ...leak('c', blocks), endpoints }]).flat();
    expect(all.map((part) => [part.allocations.length, part.endpoints.length])).toEqual([
      [32, 1],
      [32, 0],
      [32, 0],
      [4, 0],
    ]);
  });

  it('puts containers of one block together', () => {
    const leaks = Array.from({ length: 64 }, (_, i) => leak(`c${i}`, [i % 2]));
    const touched = batches(leaks).map(
      (batch) => new Set(batch.flatMap(({ allocations }) => allocations.map(({ block }) => block.base))).size,
    );
    expect(touched).toEqual([1, 1]);
  });

  it('is nothing for nothing', () => {
    expect(batches([])).toEqual([]);
  });
});
