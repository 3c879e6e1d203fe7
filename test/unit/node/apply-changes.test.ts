import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { applyChanges, type RecordChange } from '../../../src/node/apply-changes.ts';
import { type ClusterState, isOtherForKernel, unknownCluster } from '../../../src/node/cluster.ts';
import { desiredHost } from '../../../src/node/desired/desire.ts';
import type { DesiredHost } from '../../../src/node/desired/desired-host.ts';
import { BROKEN, clusterHistory } from './cluster-arbitraries.ts';
import {
  blockRecord,
  clusterOf,
  deleted,
  endpointRecord,
  felixRecord,
  nodeRecord,
  READY,
} from './records.ts';
import { BLOCKS, factsOf, NODES, vxlanPool } from './three-hosts.ts';

const [node1 = deleted({ key: '', text: '' })] = NODES;

/** Lists of a desired host in an order of their own. */
function sorted(desired: DesiredHost) {
  const json = (value: unknown) =>
    JSON.stringify(value, (_key, member) => (typeof member === 'bigint' ? `${member}n` : member));
  return Object.fromEntries(
    Object.entries(desired).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.map(json).toSorted() : json(value),
    ]),
  );
}

function applyChange(state: ClusterState, key: string, text: string | undefined): ClusterState {
  return applyChanges(state, [{ key, text }]);
}

describe('applyChanges()', () => {
  it('comes to the same whatever the order of the keys, and whatever was worked out between', () => {
    fc.assert(
      fc.property(clusterHistory(), fc.infiniteStream(fc.nat()), (changes, numbers) => {
        const inOrder = clusterOf('node1', ...changes);
        const byKey = [...Map.groupBy(changes, ({ key }) => key).values()];
        const mixed: RecordChange[] = [];
        while (byKey.some((queue) => queue.length > 0)) {
          const queues = byKey.filter((queue) => queue.length > 0);
          const next = queues[(numbers.next().value ?? 0) % queues.length]?.shift();
          if (next !== undefined) mixed.push(next);
        }
        const facts = factsOf('node1');
        const memo = {};
        let shuffled = clusterOf('node1');
        for (const change of mixed) {
          shuffled = applyChanges(shuffled, [change]);
          desiredHost(shuffled, facts, memo);
        }
        const expected = sorted(desiredHost(inOrder, facts));
        expect(sorted(desiredHost(shuffled, facts))).toEqual(expected);
        expect(sorted(desiredHost(shuffled, facts, memo))).toEqual(expected);
      }),
      { numRuns: 150 },
    );
  });

  it('comes to the same one by one, at once and from what is left', () => {
    fc.assert(
      fc.property(goodHistory(), goodHistory(), (before, changes) => {
        const records = new Map<string, string>();
        const all = [READY, ...before, ...changes];
        for (const { key, text } of all) text === undefined ? records.delete(key) : records.set(key, text);
        const stepwise = all.reduce(
          (state, change) => applyChanges(state, [change]),
          unknownCluster('node1'),
        );
        const left = Array.from(records, ([key, text]) => ({ key, text }));
        const read = applyChanges(unknownCluster('node1'), left);
        const facts = factsOf('node1');
        expect(applyChanges(unknownCluster('node1'), all)).toEqual(stepwise);
        expect(sorted(desiredHost(read, facts))).toEqual(sorted(desiredHost(stepwise, facts)));
      }),
      { numRuns: 100 },
    );
  });

  it('is the very same state when nothing that matters has changed', () => {
    const state = clusterOf('node1', ...NODES, ...BLOCKS, vxlanPool('Always'));
    const morePods = blockRecord('10.77.101.80/28', 'host:node2', { 0: 'node2', 5: 'node2', 6: 'node2' });
    const relabelled = {
      ...node1,
      text: node1.text?.replace('"metadata":{', '"metadata":{"labels":{"a":"b"},'),
    };
    for (const change of [morePods, ...NODES, relabelled, { key: '/calico/ipam/v2/config', text: '{}' }])
      expect(applyChange(state, change.key, change.text ?? undefined)).toBe(state);
    expect(applyChange(state, node1.key, undefined)).not.toBe(state);
  });

  it('counts what this node holds in its own blocks, which the kernel does not care about', () => {
    const state = clusterOf('node1', ...NODES, ...BLOCKS, vxlanPool('Always'));
    const holders = { 0: 'node1', 5: 'node1', 6: 'node2', 7: null };
    const more = blockRecord('10.77.180.112/28', 'host:node1', holders);
    const after = applyChange(state, more.key, more.text);
    expect([...after.ownAllocations]).toEqual([[more.key, 2]]);
    const one = blockRecord('10.77.180.112/28', 'host:node1', { 6: 'node2', 7: null, 8: 'node1' });
    const later = applyChange(after, one.key, one.text);
    expect([...later.ownAllocations]).toEqual([[more.key, 1]]);
    expect([isOtherForKernel(state, after), isOtherForKernel(after, later)]).toEqual([true, false]);
    const others = blockRecord('10.77.180.112/28', 'host:node2', { 8: 'node1' });
    expect(applyChange(later, others.key, others.text).ownAllocations.size).toBe(0);
    expect(applyChange(later, one.key, undefined).ownAllocations.size).toBe(0);
  });

  it.each([
    ['no JSON', '{"spec":'],
    ['no object', '[]'],
    ['an address that is none', JSON.stringify({ spec: { bgp: { ipv4Address: '10.50.0.300/24' } } })],
    ['the other family', JSON.stringify({ spec: { bgp: { ipv4Address: 'fd50::1/64' } } })],
    ['a mask that is none', JSON.stringify({ spec: { bgp: { ipv4Address: '10.50.0.11/33' } } })],
    ['a MAC that is none', JSON.stringify({ spec: { vxlanTunnelMACAddr: 'x' } })],
    ['a list of addresses that is none', JSON.stringify({ spec: { addresses: 'x' } })],
    ['a spec that is none', JSON.stringify({ spec: 5 })],
  ])('keeps the last good version of a Node that has become %s', (_what, text) => {
    const state = clusterOf('node1', ...NODES, ...BLOCKS, vxlanPool('Always'));
    const broken = applyChange(state, node1.key, text);
    expect(broken.nodes).toBe(state.nodes);
    expect(broken.unreadable.get(node1.key)).toMatchObject({ isLastGoodVersionUsed: true });
    expect(desiredHost(broken, factsOf('node1')).findings).toMatchObject([
      { kind: 'unreadable-record', severity: 'warning', subject: node1.key },
    ]);
    expect(applyChange(broken, node1.key, node1.text)).toEqual(state);
    expect(applyChange(broken, node1.key, undefined).nodes.size).toBe(2);
  });

  it.each([...BLOCKS, ...NODES].map(({ key }) => key))(
    'lets %s touch only its own when it was never good',
    (key) => {
      const good = [...NODES, ...BLOCKS].filter((other) => other.key !== key);
      const without = clusterOf('node1', ...good, vxlanPool('Always'));
      const broken = applyChange(without, key, '{"cidr":');
      const [a, b] = [without, broken].map((state) => desiredHost(state, factsOf('node1')));
      expect(b?.routes).toEqual(a?.routes);
      expect(b?.findings[0]).toMatchObject({ kind: 'unreadable-record', severity: 'error' });
      expect(applyChange(broken, key, undefined)).toEqual(without);
    },
  );

  it.each([
    ['of another CIDR than its key', { cidr: '10.77.5.16/28', allocations: [], attributes: [] }],
    [
      'with too many allocations',
      { cidr: '10.77.5.0/28', allocations: Array(17).fill(null), attributes: [] },
    ],
    ['with an index beyond its attributes', { cidr: '10.77.5.0/28', allocations: [1], attributes: [{}] }],
    ['with attributes that are none', { cidr: '10.77.5.0/28', allocations: [0], attributes: ['x'] }],
  ])('does not take a block %s', (_what, value) => {
    const { key } = blockRecord('10.77.5.0/28', null);
    const state = applyChange(clusterOf('node1'), key, JSON.stringify(value));
    expect([state.blocks.size, state.unreadable.size]).toEqual([0, 1]);
  });

  it('does not warn of addresses that wait for their cooldown', () => {
    const { key } = blockRecord('10.77.5.0/28', null);
    const attributes = [{ releasedAt: '2026-01-01T00:00:00Z' }];
    const text = JSON.stringify({
      cidr: '10.77.5.0/28',
      affinity: 'host:node2',
      allocations: [0],
      attributes,
    });
    expect(applyChange(clusterOf('node1'), key, text).blocks.get(key)?.borrowed).toEqual([]);
  });

  it('knows the endpoints and the settings of this node only', () => {
    const state = clusterOf(
      'node-1',
      endpointRecord('node-1', 'a', 'cali1', ['10.77.0.1']),
      endpointRecord('node', 'a', 'cali2', ['10.77.0.2']),
      { ...endpointRecord('node-1', 'b', 'cali3', []), text: '{"spec":{"node":"other"}}' },
      felixRecord('default', { vxlanPort: 1 }),
      felixRecord('node.node-1', { vxlanPort: 2 }),
      felixRecord('node.node-2', { vxlanPort: 3 }),
    );
    expect([...state.endpoints.values()].map(({ interfaceName }) => interfaceName)).toEqual(['cali1']);
    expect([...state.felix.keys()]).toEqual(['default', 'node.node-1']);
  });

  it('takes an address without a mask for a network of one', () => {
    const state = clusterOf('node1', nodeRecord('node1', '10.50.0.11'));
    expect(state.nodes.get('node1')?.families[4].hostNetwork?.prefixLength).toBe(32);
  });
});

/** What was once read is used longer than a new reader could know. */
function goodHistory(): fc.Arbitrary<readonly RecordChange[]> {
  return clusterHistory().map((changes) => changes.filter(({ text }) => text !== BROKEN));
}
