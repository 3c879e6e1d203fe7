import { describe, expect, it } from 'vitest';
import { formatCidr } from '../../../src/base/cidr.ts';
import { formatIpAddress } from '../../../src/base/ip-address.ts';
import type { MustLook } from '../../../src/ipam/assignment/address-search.ts';
import {
  allocationsOf,
  type CollectionPlan,
  planCollection,
  type SeenAllocation,
} from '../../../src/ipam/plan-collection.ts';
import { emptyBlock, filledBlock, legacyBlock } from './support/blocks.ts';
import {
  add,
  affinityRecord,
  assignmentRequest,
  blockRecord,
  type Cluster,
  cluster,
  commit,
  decide,
  del,
  firstFacts,
  handleRecord,
  NOW_NS,
  node,
  pool,
  put,
} from './support/cluster.ts';
import { clusterViolations } from './support/invariants.ts';

const NODE1 = cluster({ nodes: [node('node1')] });

function withPods(before: Cluster, ...handleIds: readonly string[]): Cluster {
  return handleIds.reduce((now, handleId) => add(now, assignmentRequest('node1', handleId)).after, before);
}

function allocations(of: Cluster, ...handleIds: readonly string[]): readonly SeenAllocation[] {
  return [...of.blocks.values()]
    .flatMap(({ value }) => allocationsOf(value))
    .filter(({ handleId }) => handleIds.includes(handleId));
}

function collect(of: Cluster, seen: readonly SeenAllocation[]) {
  const handleIds = seen.map(({ handleId }) => handleId);
  const request = { nodeName: 'node1', nowNs: NOW_NS, allocations: seen };
  const { plan, looks } = decide<Exclude<CollectionPlan, MustLook>>(
    of,
    firstFacts(of, 'node1', handleIds),
    (facts) => planCollection(request, facts),
  );
  const after = commit(of, plan.changes);
  if (after === undefined) throw new Error('lost against nobody');
  return { after, looks, changes: plan.changes, released: plan.released.map(formatIpAddress) };
}

describe('planCollection()', () => {
  it('gives back several containers’ addresses in one update of their block, and nobody else’s', () => {
    const before = withPods(NODE1, 'net1.a', 'net1.b', 'net1.c');
    const { after, released, changes, looks } = collect(before, allocations(before, 'net1.a', 'net1.c'));
    expect(released).toEqual(['10.9.0.8', '10.9.0.10']);
    expect(changes.map(({ record, to }) => [record, to === undefined])).toEqual([
      ['block', false],
      ['handle', true],
      ['handle', true],
    ]);
    expect([...after.handles.keys()]).toEqual(['net1.b']);
    expect(clusterViolations(after)).toEqual([]);
    expect(looks).toHaveLength(1);
  });

  it('has nothing to do the second time', () => {
    const before = withPods(NODE1, 'net1.a');
    const seen = allocations(before, 'net1.a');
    const { after } = collect(before, seen);
    expect(collect(after, seen)).toMatchObject({ changes: [], released: [] });
  });

  it('leaves an address that changed hands since it was looked at, even to the same handle', () => {
    const before = withPods(NODE1, 'net1.a');
    const seen = allocations(before, 'net1.a');
    const again = withPods(del(before, 'node1', ['net1.a']).after, 'net1.x', 'net1.y', 'net1.z', 'net1.a');
    expect(allocations(again, 'net1.a')[0]?.ordinal).toBe(seen[0]?.ordinal);
    expect(collect(again, seen)).toMatchObject({ changes: [], released: [] });
  });

  it('keeps the rest of what a handle holds, and counts it', () => {
    const pools = [pool('10.9.0.0/28', 30), pool('fd00::/124', 126)];
    const { after: before } = add(
      cluster({ pools }),
      assignmentRequest('node1', 'net1.a', { families: [4, 6] }),
    );
    const seen = allocations(before, 'net1.a').filter(({ block }) => block.family === 6);
    const { after, released } = collect(before, seen);
    expect(released).toEqual(['fd00::8']);
    expect(after.handles.get('net1.a')?.value.addressCounts).toEqual(new Map([['10.9.0.8/30', 1]]));
    expect(clusterViolations(after)).toEqual([]);
  });

  it('corrects what a crash left in a handle', () => {
    const before = put(
      withPods(NODE1, 'net1.a'),
      handleRecord('net1.a', { '10.9.0.8/30': 1, '10.9.0.0/30': 2 }),
    );
    const { after } = collect(before, allocations(before, 'net1.a'));
    expect(after.handles.size).toBe(0);
  });

  it('needs no handle record', () => {
    const before = put(
      NODE1,
      blockRecord(filledBlock(['net1.a'], emptyBlock('10.9.0.0/30'))),
      affinityRecord('node1', '10.9.0.0/30'),
    );
    expect(collect(before, allocations(before, 'net1.a')).released).toEqual(['10.9.0.0']);
  });

  it('deletes a block that is empty then and that nobody claims', () => {
    const unclaimed = { ...filledBlock(['net1.a'], emptyBlock('10.9.0.0/30')), affinity: undefined };
    const before = put(NODE1, blockRecord(unclaimed), handleRecord('net1.a', { '10.9.0.0/30': 1 }));
    expect(collect(before, allocations(before, 'net1.a')).after.blocks.size).toBe(0);
  });

  it('returns a borrowed address and leaves the block to its node', () => {
    const borrowed = filledBlock(['net1.a'], emptyBlock('10.9.0.0/30', 'host:node2'));
    const before = put(NODE1, blockRecord(borrowed), handleRecord('net1.a', { '10.9.0.0/30': 1 }));
    const { after, released } = collect(before, allocations(before, 'net1.a'));
    expect(released).toEqual(['10.9.0.0']);
    expect([...after.blocks.keys()]).toEqual(['10.9.0.0/30']);
  });

  it('knows blocks of 2021, which number no allocations', () => {
    const before = put(NODE1, blockRecord(legacyBlock()));
    const seen = allocations(before, 'net1.old');
    expect(seen).toEqual([expect.objectContaining({ sequenceNumber: undefined, ordinal: 0 })]);
    expect(collect(before, seen).released).toEqual(['10.9.0.0']);
  });

  it('sees nothing that waits out its cooldown', () => {
    const cooling = cluster({ nodes: [node('node1')], config: { cooldownSeconds: 60 } });
    const { after } = del(withPods(cooling, 'net1.a'), 'node1', ['net1.a']);
    expect([...after.blocks.values()].flatMap(({ value }) => allocationsOf(value))).toEqual([]);
    expect([...after.blocks.values()].map(({ value }) => formatCidr(value.cidr))).toEqual(['10.9.0.8/30']);
  });
});
