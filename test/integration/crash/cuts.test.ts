/**
 * Every operation, and every pair that can get into each other's way, cut at every request in every way, in every
 * order. Then a DEL must leave nothing, and another container must get its address. Exhaustive, not sampled.
 */

import { describe, expect, it } from 'vitest';
import { parseIpAddress } from '../../../src/base/ip-address.ts';
import { type Actor, type Cut, everyCut, everyOrder, Killed, runActors } from '../../support/cut-line.ts';
import { datastoreViolations } from '../../support/datastore-violations.ts';
import { createMemoryStore, type MemoryStore } from '../../support/memory-store.ts';
import {
  addRecords,
  delRecords,
  NETWORK_NAME,
  RECORD_TIME_NS,
  type RecordCall,
} from '../../support/record-calls.ts';
import { smallCluster } from '../../support/small-cluster.ts';

interface Operation {
  readonly verb: 'ADD' | 'DEL';
  readonly call: RecordCall;
}

interface Scenario {
  readonly name: string;
  readonly pools: Readonly<Record<string, number>>;
  /** ADDs that happened before; one whose time is long ago makes its block reclaimable. */
  readonly before: readonly Operation[];
  readonly operations: readonly Operation[];
}

const on = (nodeName: string, containerId: string, more: Partial<RecordCall> = {}): RecordCall => ({
  nodeName,
  containerId,
  ...more,
});
const add = (call: RecordCall): Operation => ({ verb: 'ADD', call });
const del = (call: RecordCall): Operation => ({ verb: 'DEL', call });
const longAgo = { nowNs: RECORD_TIME_NS - 3_600_000_000_000n };
const both = { families: [4, 6] as const };
const wide = { '10.9.0.0/28': 30 };
const dual = { '10.9.0.0/28': 30, 'fd00:9::/120': 124 };
const single = { '10.9.0.0/30': 30 };

const fill = (nodeName: string, count: number) =>
  Array.from({ length: count }, (_unused, i) => add(on(nodeName, `old${i}`)));

const scenarios: readonly Scenario[] = [
  { name: 'ADD of a first block', pools: wide, before: [], operations: [add(on('node1', 'a'))] },
  {
    name: 'ADD from an existing block',
    pools: wide,
    before: fill('node1', 1),
    operations: [add(on('node1', 'a'))],
  },
  {
    name: 'ADD of a second block',
    pools: wide,
    before: fill('node1', 4),
    operations: [add(on('node1', 'a'))],
  },
  { name: 'ADD that borrows', pools: single, before: fill('node2', 1), operations: [add(on('node1', 'a'))] },
  {
    name: "ADD that reclaims another node's empty block",
    pools: single,
    before: [add(on('node2', 'gone', longAgo)), del(on('node2', 'gone', longAgo))],
    operations: [add(on('node1', 'a'))],
  },
  { name: 'ADD of both families', pools: dual, before: [], operations: [add(on('node1', 'a', both))] },
  {
    name: 'ADD of a requested address',
    pools: wide,
    before: [],
    operations: [add(on('node1', 'a', { requestedAddresses: [parseIpAddress('10.9.0.6')] }))],
  },
  { name: 'DEL', pools: wide, before: [add(on('node1', 'a'))], operations: [del(on('node1', 'a'))] },
  {
    name: 'DEL of both families',
    pools: dual,
    before: [add(on('node1', 'a', both))],
    operations: [del(on('node1', 'a'))],
  },
  {
    name: 'DEL of a borrowed address',
    pools: single,
    before: [...fill('node2', 1), add(on('node1', 'a'))],
    operations: [del(on('node1', 'a'))],
  },
  {
    name: 'ADD and ADD of one node, first block',
    pools: wide,
    before: [],
    operations: [add(on('node1', 'a')), add(on('node1', 'b'))],
  },
  {
    name: 'ADD and ADD of one node, last free address of its block',
    pools: wide,
    before: fill('node1', 3),
    operations: [add(on('node1', 'a')), add(on('node1', 'b'))],
  },
  {
    name: 'ADD and ADD of two nodes, last block',
    pools: single,
    before: [],
    operations: [add(on('node1', 'a')), add(on('node2', 'b'))],
  },
  {
    name: 'ADD and ADD of two nodes that want the same empty block',
    pools: single,
    before: [add(on('node3', 'gone', longAgo)), del(on('node3', 'gone', longAgo))],
    operations: [add(on('node1', 'a')), add(on('node2', 'b'))],
  },
  {
    name: 'ADD and ADD of the same address',
    pools: wide,
    before: [],
    operations: [
      add(on('node1', 'a', { requestedAddresses: [parseIpAddress('10.9.0.6')] })),
      add(on('node2', 'b', { requestedAddresses: [parseIpAddress('10.9.0.6')] })),
    ],
  },
  {
    name: 'ADD and ADD of both families',
    pools: dual,
    before: [],
    operations: [add(on('node1', 'a', both)), add(on('node1', 'b', both))],
  },
  {
    name: 'ADD and DEL of one node',
    pools: wide,
    before: [add(on('node1', 'b'))],
    operations: [add(on('node1', 'a')), del(on('node1', 'b'))],
  },
  {
    name: 'ADD that borrows and DEL of the block’s node',
    pools: single,
    before: fill('node2', 1),
    operations: [add(on('node1', 'a')), del(on('node2', 'old0'))],
  },
  {
    name: 'ADD that reclaims and ADD of the node it reclaims from',
    pools: single,
    before: [add(on('node2', 'gone', longAgo)), del(on('node2', 'gone', longAgo))],
    operations: [add(on('node1', 'a')), add(on('node2', 'b'))],
  },
  {
    name: 'DEL and DEL of one block',
    pools: wide,
    before: [add(on('node1', 'a')), add(on('node1', 'b'))],
    operations: [del(on('node1', 'a')), del(on('node1', 'b'))],
  },
  {
    name: 'DEL and DEL of the same container',
    pools: wide,
    before: [add(on('node1', 'a'))],
    operations: [del(on('node1', 'a')), del(on('node1', 'a'))],
  },
];

let tried = 0;

describe('an operation that is cut', () => {
  it.each(scenarios)(
    'leaves nothing after its DEL: $name',
    async (scenario) => {
      const initial = await stateBefore(scenario);
      const orders = await everyOrder(async (choices) => {
        const whole = await check(scenario, initial, choices);
        for (const cut of everyCut(whole.trace)) await check(scenario, initial, whole.choices, cut);
        return whole.choices;
      });
      expect(orders).toBeGreaterThan(0);
    },
    120_000,
  );

  it('was tried in more than a thousand ways', () => {
    // biome-ignore lint/suspicious/noConsole: the figure is part of the result
    console.log(`crash harness: ${tried} histories tried, each cut at a different request, order or way`);
    expect(tried).toBeGreaterThan(1000);
  });
});

interface Initial {
  readonly values: ReadonlyMap<string, string>;
  readonly live: ReadonlyMap<string, readonly string[]>;
}

async function stateBefore({ pools, before }: Scenario): Promise<Initial> {
  const store = createMemoryStore(smallCluster(pools));
  const live = new Map<string, readonly string[]>();
  for (const operation of before) await perform(store, operation, live);
  return { values: store.values(), live };
}

async function check(scenario: Scenario, initial: Initial, choices: readonly number[], cut?: Cut) {
  tried += 1;
  const store = createMemoryStore(initial.values);
  const live = new Map(initial.live);
  const run = await runActors(store, scenario.operations.map(actorOf), choices, cut);
  const say = (when: string) =>
    `${when}; order ${run.choices.join('')}, cut ${cut === undefined ? 'none' : `${cut.mode} at ${cut.at}`}`;

  scenario.operations.forEach((operation, index) => {
    const outcome = run.outcomes[index];
    if (outcome?.status === 'fulfilled') remember(operation, outcome.value, live);
    else if (cut === undefined) expectRefusal(outcome?.reason, scenario);
    else live.delete(operation.call.containerId);
  });
  if (run.outcomes.every(({ status }) => status === 'fulfilled'))
    expect(violations(store, live), say('afterwards')).toEqual([]);

  for (const { call } of scenario.operations) await perform(store, del(call), live);
  expect(violations(store, live), say('after the DELs')).toEqual([]);
  await perform(store, add(on('node1', 'next')), live);
  expect(violations(store, live), say('after another ADD')).toEqual([]);
  return run;
}

/** Without a cut the only failure is that somebody else was given the one requested address. */
function expectRefusal(reason: unknown, { name }: Scenario): void {
  if (!name.includes('same address')) throw reason;
  expect(reason).toMatchObject({ name: 'CalicoError' });
  expect(reason).not.toBeInstanceOf(Killed);
}

function actorOf({ verb, call }: Operation): Actor<readonly string[]> {
  return verb === 'ADD' ? addRecords(call) : delRecords(call);
}

async function perform(
  store: MemoryStore,
  operation: Operation,
  live: Map<string, readonly string[]>,
): Promise<void> {
  remember(operation, await actorOf(operation)(store), live);
}

function remember(
  { verb, call }: Operation,
  addresses: readonly string[],
  live: Map<string, readonly string[]>,
): void {
  if (verb === 'ADD') live.set(call.containerId, addresses);
  else live.delete(call.containerId);
}

function violations(store: MemoryStore, live: ReadonlyMap<string, readonly string[]>): readonly string[] {
  return datastoreViolations(store.values(), { network: NETWORK_NAME, live });
}
