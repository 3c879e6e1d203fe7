/**
 * What the agent collects, alone and beside other calls, cut at every request in every way, in every order: containers that
 * live keep what they have, what is garbage is gone after another look, and the records agree at any time.
 */

import { describe, expect, it } from 'vitest';
import { parseCidr } from '../../../src/base/cidr.ts';
import { formatIpAddress } from '../../../src/base/ip-address.ts';
import { sha1Hex } from '../../../src/base/sha1.ts';
import { decodeBlock } from '../../../src/datastore/codecs/block.ts';
import { decodeWorkloadEndpoint } from '../../../src/datastore/codecs/workload-endpoint.ts';
import { nodeKey } from '../../../src/datastore/keys.ts';
import { settle } from '../../../src/datastore/settle.ts';
import type { Store } from '../../../src/datastore/store.ts';
import type { Leak } from '../../../src/garbage/leak.ts';
import { allocationsOf } from '../../../src/ipam/plan-collection.ts';
import { decideLeak, leakRanges } from '../../../src/node/garbage/decide-leak.ts';
import { decideRemovedNode, removedNodeRanges } from '../../../src/node/garbage/decide-removed-node.ts';
import { judgeContainers } from '../../../src/node/garbage/judge-containers.ts';
import { removedNodes } from '../../../src/node/garbage/removed-nodes.ts';
import {
  type Actor,
  type Cut,
  endlessDeadline,
  everyCut,
  everyOrder,
  instantClock,
  Killed,
  runActors,
} from '../../support/cut-line.ts';
import { datastoreViolations } from '../../support/datastore-violations.ts';
import { createMemoryStore, type MemoryStore } from '../../support/memory-store.ts';
import { heardState } from '../../support/node-model.ts';
import {
  addRecords,
  delRecords,
  NETWORK_NAME,
  RECORD_TIME_NS,
  type RecordCall,
} from '../../support/record-calls.ts';
import { smallCluster } from '../../support/small-cluster.ts';

type Values = ReadonlyMap<string, string>;

const on = (containerId: string, more: Partial<RecordCall> = {}): RecordCall => ({
  nodeName: 'node1',
  containerId,
  ...more,
});
const LATER_NS = RECORD_TIME_NS + 3_600_000_000_000n;
const settling = (store: Store) => ({
  ...{ store, deadline: endlessDeadline(), clock: instantClock(LATER_NS), random: () => 0.5 },
});

function leaksIn(values: Values, live: ReadonlySet<string>): readonly Leak[] {
  const entries = [...values];
  const read = <T>(part: string, decode: (value: string, key: string) => T) =>
    entries.filter(([key]) => key.includes(part)).map(([key, value]) => decode(value, key));
  const found = judgeContainers(
    { naming: { nodeName: 'node1', sha1Hex, prefix: 'cali' }, madeBeforeNs: LATER_NS },
    {
      allocations: read('/assignment/', decodeBlock).flatMap(allocationsOf),
      endpoints: read('/workloadendpoints/', decodeWorkloadEndpoint),
      interfaces: new Set(),
      routed: new Set(),
      sandboxOf: (id) => (live.has(id) ? 'alive' : 'gone'),
    },
  );
  return found.leaks;
}

/** The leaks as they were seen before anything else happened, each in a transaction. */
function collect(leaks: readonly Leak[]): Actor<readonly string[]> {
  return async (store) => {
    const released: string[] = [];
    for (const leak of leaks) {
      const inputs = { leak, nodeName: 'node1', nowNs: LATER_NS, isDryRun: false };
      const outcome = await settle({
        ...settling(store),
        ranges: leakRanges(inputs),
        decide: (view) => decideLeak(inputs, view),
      });
      if (outcome.isDone) released.push(...outcome.released.map(formatIpAddress));
    }
    return released;
  };
}

/** All that is left of a node, as it was heard of. */
function removeNode(nodeName: string, heard: Values): Actor<readonly string[]> {
  const { nodes, ...state } = heardState('node1', heard);
  const lists = { affinities: [...heard.keys()], nodes: [], claims: [] };
  const found = removedNodes(
    { ...state, nodes: new Map([...nodes].filter(([name]) => name !== nodeName)) },
    lists,
  );
  const blocks = found.find(({ name }) => name === nodeName)?.blocks ?? [];
  const inputs = {
    nodeName,
    nowNs: LATER_NS,
    madeBeforeNs: LATER_NS - 1n,
    endpoints: [],
    role: [],
    isDryRun: false,
  };
  return async (store) => {
    const released: string[] = [];
    for (const block of blocks) {
      const outcome = await settle({
        ...settling(store),
        ranges: removedNodeRanges(nodeName, block),
        decide: (view) => decideRemovedNode(inputs, block, view),
      });
      if (outcome.isDone) released.push(...outcome.addresses.map(formatIpAddress));
    }
    return released;
  };
}

interface Scenario {
  readonly name: string;
  readonly before: () => Promise<Values>;
  readonly collector: (before: Values) => Actor<readonly string[]>;
  /** `collector`: another one that has seen the same. */
  readonly beside?: Actor<readonly string[]> | 'collector';
  /** Addresses of containers that live, before and after. */
  readonly live: readonly string[];
  /** A container that is gone, and may be left alone all the same. */
  readonly mayStay?: string;
  /** The container that the other call adds. */
  readonly adds?: RecordCall;
}

const pools = { '10.9.0.0/28': 30 };

async function made(
  calls: readonly RecordCall[],
  edit: (store: MemoryStore) => void = () => undefined,
): Promise<Values> {
  const store = createMemoryStore(smallCluster(pools));
  for (const call of calls) await addRecords(call)(store);
  edit(store);
  return store.values();
}

const withoutNode = (values: Values, name: string) =>
  new Map([...values].filter(([key]) => key !== nodeKey(name)));
/** As after `calicoctl delete node`, or of pods that were removed with their machine. */
const withoutEndpoints = (values: Values, name: string) =>
  new Map([...values].filter(([key]) => !key.includes(`/workloadendpoints/default/${name}-`)));

const two = () => made([on('a'), on('b')]);
const leaks = (before: Values) => collect(leaksIn(before, new Set(['b'])));

/** node2 has a block of four; one address of it is node1's, and one of its own is in node1's block. */
async function removedNode2(): Promise<Values> {
  const calls = [
    ...['a1', 'a2', 'a3'].map((id) => on(id)),
    ...['b1', 'b2', 'b3'].map((id) => on(id, { nodeName: 'node2' })),
  ];
  const store = createMemoryStore(smallCluster({ '10.9.0.0/29': 30 }));
  for (const call of calls) await addRecords(call)(store);
  // Both blocks have one left: the pool has no other.
  await delRecords(on('a3'))(store);
  await addRecords(on('b4', { nodeName: 'node2' }))(store);
  await addRecords(on('b5', { nodeName: 'node2' }))(store);
  await delRecords(on('b1', { nodeName: 'node2' }))(store);
  await addRecords(on('a4'))(store);
  await addRecords(on('a5'))(store);
  return withoutNode(withoutEndpoints(store.values(), 'node2'), 'node2');
}

async function withRoom(): Promise<Values> {
  const store = createMemoryStore(await removedNode2());
  await delRecords(on('b5', { nodeName: 'node2' }))(store);
  return store.values();
}
const NODE1 = ['a1', 'a2', 'a4', 'a5'];

const nodeComesBack: Actor<readonly string[]> = async (store) => {
  const key = nodeKey('node2');
  const value = JSON.stringify({ metadata: { name: 'node2' }, spec: {} });
  await store.commit({ expect: [], write: [{ type: 'put', key, value }] }, endlessDeadline());
  return addRecords(on('new', { nodeName: 'node2' }))(store);
};

const scenarios: readonly Scenario[] = [
  { name: 'a leak', before: two, collector: leaks, live: ['b'] },
  {
    name: 'a leak beside an ADD in its block',
    ...{ before: two, collector: leaks, live: ['b'] },
    ...{ beside: addRecords(on('new')), adds: on('new') },
  },
  {
    name: 'a leak beside its DEL',
    ...{ before: two, collector: leaks, live: ['b'], beside: delRecords(on('a')) },
  },
  {
    name: 'a leak beside another agent of the node',
    ...{ before: two, collector: leaks, live: ['b'] },
    beside: 'collector',
  },
  {
    name: 'a leaked pod beside the ADD of its new sandbox',
    before: async () => {
      const values = await made([on('old', { podName: 'web' }), on('b')]);
      return new Map([...values].filter(([key]) => !key.includes('-k8s-')));
    },
    collector: leaks,
    live: ['b'],
    // Once its pod has an endpoint, nothing of the pod is touched.
    mayStay: 'old',
    ...{ beside: addRecords(on('new', { podName: 'web' })), adds: on('new', { podName: 'web' }) },
  },
  {
    name: 'a removed node',
    before: removedNode2,
    collector: (before) => removeNode('node2', before),
    live: NODE1,
  },
  {
    name: 'a removed node beside an ADD that borrows',
    before: withRoom,
    collector: (before) => removeNode('node2', before),
    live: NODE1,
    ...{ beside: addRecords(on('new')), adds: on('new') },
  },
  {
    name: 'a removed node beside the DEL of what was borrowed',
    before: removedNode2,
    collector: (before) => removeNode('node2', before),
    live: NODE1.filter((id) => id !== 'a5'),
    beside: delRecords(on('a5')),
  },
  {
    name: 'a removed node beside another collector',
    before: async () => {
      const calls = [on('a'), on('b1', { nodeName: 'node2' }), on('b2', { nodeName: 'node2' })];
      return withoutNode(withoutEndpoints(await made(calls), 'node2'), 'node2');
    },
    collector: (before) => removeNode('node2', before),
    live: ['a'],
    beside: 'collector',
  },
  {
    name: 'a removed node that comes back with a container',
    before: withRoom,
    collector: (before) => removeNode('node2', before),
    live: NODE1,
    ...{ beside: nodeComesBack, adds: on('new', { nodeName: 'node2' }) },
  },
];

/** One history. */
async function happen(scenario: Scenario, initial: Values, choices: readonly number[], cut?: Cut) {
  const { collector, live, adds, mayStay } = scenario;
  const beside = scenario.beside === 'collector' ? collector(initial) : scenario.beside;
  const store = createMemoryStore(initial);
  const held = addressesOf(initial);
  const actors = [collector(initial), ...(beside === undefined ? [] : [beside])];
  const run = await runActors(store, actors, choices, cut);
  for (const outcome of run.outcomes) {
    if (outcome.status === 'rejected' && cut === undefined) throw outcome.reason;
    if (outcome.status === 'rejected' && !(outcome.reason instanceof Killed))
      expect(String(outcome.reason)).toMatch(/the line was cut|did not confirm/);
  }
  const expected = new Map(live.map((id) => [id, held.get(id) ?? []]));
  if (adds !== undefined) {
    const again = (await beside?.(store)) ?? [];
    const [, other] = run.outcomes;
    if (other?.status === 'fulfilled' && other.value.length > 0) expect(again).toEqual(other.value);
    expected.set(adds.containerId, again);
  } else if (beside !== undefined) await beside(store);
  const isBack = store.values().has(nodeKey('node2'));
  await collector(initial)(store);
  const all = isBack ? new Map([...addressesOf(store.values()), ...expected]) : expected;
  const violations = datastoreViolations(store.values(), { network: NETWORK_NAME, live: all })
    // Those of the removed node were taken away before.
    .filter((text) => !(isBack && text.endsWith('has no endpoint')))
    .filter((text) => mayStay === undefined || !text.includes(mayStay));
  expect(violations).toEqual([]);
  return run;
}

function addressesOf(values: Values): Map<string, readonly string[]> {
  const found = new Map<string, readonly string[]>();
  for (const [key, value] of values) {
    if (!key.includes('/assignment/')) continue;
    const block = decodeBlock(value, key);
    for (const { handleId, ordinal } of allocationsOf(block)) {
      const { family, base } = parseCidr(JSON.parse(value).cidr);
      const id = handleId.slice(handleId.indexOf('.') + 1);
      found.set(id, [...(found.get(id) ?? []), formatIpAddress({ family, value: base + BigInt(ordinal) })]);
    }
  }
  return found;
}

describe('a collection of the agent that is cut', () => {
  it.each(scenarios.map((scenario) => [scenario.name, scenario] as const))('%s', async (_, scenario) => {
    let tried = 0;
    const initial = await scenario.before();
    await everyOrder(async (choices) => {
      const whole = await happen(scenario, initial, choices);
      for (const cut of everyCut(whole.trace)) {
        await happen(scenario, initial, whole.choices, cut);
        tried += 1;
      }
      return whole.choices;
    });
    process.stdout.write(`${scenario.name}: ${tried} histories\n`);
    expect(tried).toBeGreaterThan(5);
  });
});
