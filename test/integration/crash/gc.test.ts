/**
 * A GC, alone and beside another call, cut at every request in every way, in every order. The containers in its list keep
 * what they have, and another GC collects all the rest. Exhaustive, not sampled.
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseIpAddress } from '../../../src/base/ip-address.ts';
import { openSqliteStore } from '../../../src/datastore/sqlite/sqlite-store.ts';
import { deadline, realClock } from '../../support/clock.ts';
import { collectRecords } from '../../support/collect-records.ts';
import { type Actor, type Cut, everyCut, everyOrder, Killed, runActors } from '../../support/cut-line.ts';
import { datastoreViolations } from '../../support/datastore-violations.ts';
import { createMemoryStore, type MemoryStore } from '../../support/memory-store.ts';
import { addRecords, delRecords, NETWORK_NAME, type RecordCall } from '../../support/record-calls.ts';
import { smallCluster } from '../../support/small-cluster.ts';

const on = (containerId: string, more: Partial<RecordCall> = {}): RecordCall => ({
  nodeName: 'node1',
  containerId,
  ...more,
});
const both = { families: [4, 6] as const };
const web = { podName: 'web' };

interface Scenario {
  readonly name: string;
  readonly pools: Readonly<Record<string, number>>;
  readonly before: readonly RecordCall[];
  /** Containers in the list. */
  readonly live: readonly string[];
  /** What happens at the same time. */
  readonly beside?: { readonly verb: 'ADD' | 'DEL'; readonly call: RecordCall };
}

const wide = { '10.9.0.0/28': 30 };
const dual = { '10.9.0.0/28': 30, 'fd00:9::/120': 124 };

const scenarios: readonly Scenario[] = [
  { name: 'GC of two containers', pools: wide, before: [on('a'), on('b'), on('c')], live: ['b'] },
  { name: 'GC of both families', pools: dual, before: [on('a', both), on('b', both)], live: ['b'] },
  {
    name: 'GC beside an ADD in the same block',
    pools: wide,
    before: [on('a'), on('b')],
    live: ['b', 'new'],
    beside: { verb: 'ADD', call: on('new') },
  },
  {
    name: 'GC beside the DEL of what it collects',
    pools: wide,
    before: [on('a'), on('b')],
    live: ['b'],
    beside: { verb: 'DEL', call: on('a') },
  },
  {
    name: 'GC beside the DEL of what it keeps',
    pools: wide,
    before: [on('a'), on('b')],
    live: ['b'],
    beside: { verb: 'DEL', call: on('b') },
  },
  {
    name: "GC beside the ADD of a lost pod's new sandbox",
    pools: wide,
    before: [on('old', web), on('b')],
    live: ['new', 'b'],
    beside: { verb: 'ADD', call: on('new', web) },
  },
  {
    name: "GC beside an ADD that takes the lost pod's address over",
    pools: { '10.9.0.0/30': 30 },
    before: [on('old', web)],
    live: ['new'],
    beside: { verb: 'ADD', call: on('new', { ...web, requestedAddresses: [parseIpAddress('10.9.0.0')] }) },
  },
];

const gc = (live: readonly string[]) => collectRecords({ nodeName: 'node1', live });

async function storeBefore({
  pools,
  before,
}: Scenario): Promise<[MemoryStore, Map<string, readonly string[]>]> {
  const store = createMemoryStore(smallCluster(pools));
  const given = new Map<string, readonly string[]>();
  for (const call of before) given.set(call.containerId, await addRecords(call)(store));
  return [store, given];
}

function actorsOf({ live, beside }: Scenario): readonly Actor<readonly string[]>[] {
  if (beside === undefined) return [gc(live)];
  return [gc(live), beside.verb === 'ADD' ? addRecords(beside.call) : delRecords(beside.call)];
}

/** One history; gives back the trace and the choices it made. */
async function happen(scenario: Scenario, choices: readonly number[], cut?: Cut) {
  const [store, given] = await storeBefore(scenario);
  const { beside } = scenario;
  const run = await runActors(store, actorsOf(scenario), choices, cut);
  for (const outcome of run.outcomes)
    if (outcome.status === 'rejected' && cut === undefined) throw outcome.reason;
  const [, other] = run.outcomes;
  if (beside?.verb === 'ADD') {
    // The runtime asks again after a failure, and it lists what it has asked for.
    const again = other?.status === 'fulfilled' ? other.value : await addRecords(beside.call)(store);
    given.set(beside.call.containerId, again);
  }
  if (beside?.verb === 'DEL') {
    await delRecords(beside.call)(store);
    given.delete(beside.call.containerId);
  }
  await gc(scenario.live)(store);
  const live = new Map([...given].filter(([id]) => scenario.live.includes(id)));
  expect(datastoreViolations(store.values(), { network: NETWORK_NAME, live })).toEqual([]);
  return run;
}

describe('crash harness', () => {
  it.each(scenarios.map((scenario) => [scenario.name, scenario] as const))('%s', async (_, scenario) => {
    let tried = 0;
    await everyOrder(async (choices) => {
      const whole = await happen(scenario, choices);
      for (const cut of everyCut(whole.trace)) {
        const { outcomes } = await happen(scenario, whole.choices, cut);
        tried += 1;
        for (const outcome of outcomes) {
          if (outcome.status !== 'rejected' || outcome.reason instanceof Killed) continue;
          expect(String(outcome.reason)).toMatch(/the line was cut/);
        }
      }
      return whole.choices;
    });
    process.stdout.write(`${scenario.name}: ${tried} histories\n`);
  });
});

describe('a GC of many', () => {
  it('collects 300 of 400 containers in few requests, on the embedded store as well', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'gc-'));
    const store = openSqliteStore(join(folder, 'calico.db'), realClock);
    const values = smallCluster({ '10.9.0.0/16': 26 });
    const write = [...values].map(([key, value]) => ({ type: 'put' as const, key, value }));
    await store.commit({ expect: [], write }, deadline());
    const live = new Map<string, readonly string[]>();
    for (let i = 0; i < 400; i++) {
      const addresses = await addRecords(on(`c${i}`))(store);
      if (i % 4 === 0) live.set(`c${i}`, addresses);
    }
    let requests = 0;
    const counted = {
      ...store,
      read: (...args: Parameters<typeof store.read>) => {
        requests += 1;
        return store.read(...args);
      },
      commit: (...args: Parameters<typeof store.commit>) => {
        requests += 1;
        return store.commit(...args);
      },
    };
    expect(await gc([...live.keys()])(counted)).toHaveLength(300);
    const { entries } = await store.read([{ prefix: '/calico/' }], deadline());
    const left = new Map((entries[0] ?? []).map(({ key, value }) => [key, value]));
    expect(datastoreViolations(left, { network: NETWORK_NAME, live })).toEqual([]);
    process.stdout.write(`GC of 300 containers: ${requests} requests\n`);
    expect(requests).toBeLessThan(60);
    await store.close();
    rmSync(folder, { recursive: true });
  });
});
