/**
 * A pod that names its addresses gets a new sandbox while the old one still holds them, cut at every request in every
 * way, in every order with what else may happen. Nobody else ever gets one of them, and they are never half the old
 * sandbox's and half the new one's.
 */

import { describe, expect, it } from 'vitest';
import { parseIpAddress } from '../../../src/base/ip-address.ts';
import { type Actor, type Cut, everyCut, everyOrder, type Run, runActors } from '../../support/cut-line.ts';
import { datastoreViolations } from '../../support/datastore-violations.ts';
import { createMemoryStore, type MemoryStore } from '../../support/memory-store.ts';
import {
  addRecords,
  delRecords,
  failedAddRecords,
  NETWORK_NAME,
  type RecordCall,
} from '../../support/record-calls.ts';
import { smallCluster } from '../../support/small-cluster.ts';

const ADDRESSES = ['10.9.0.6', 'fd00:9::6'];
const POOLS = { '10.9.0.0/28': 30, 'fd00:9::/120': 124 };

/** A sandbox of the pod, by its container ID. */
function sandbox(containerId: string, podName = 'web-1'): RecordCall {
  return { nodeName: 'node1', containerId, podName, requestedAddresses: ADDRESSES.map(parseIpAddress) };
}

const [OLD, NEW] = [sandbox('old'), sandbox('new')];
/** Another pod, which names the same addresses. */
const THIEF = sandbox('thief', 'db-1');

type Records = Actor<readonly string[]>;

interface Story {
  readonly store: MemoryStore;
  readonly run: Run<readonly string[]>;
  readonly cut: Cut | undefined;
  /** Which of the ways this is, for messages. */
  readonly name: string;
}

/** What is wrong when the addresses are those of the containers given, and of nobody else. */
function wrongIfOf(store: MemoryStore, ...containerIds: readonly string[]): readonly string[] {
  const live = new Map(containerIds.map((id) => [id, ADDRESSES] as const));
  return datastoreViolations(store.values(), { network: NETWORK_NAME, live });
}

/** Whose the addresses and the endpoint are, all of them. */
function holder({ store, name }: Story): 'old' | 'new' | 'nobody' {
  const problems = (['old', 'new'] as const).map((id) => [id, wrongIfOf(store, id)] as const);
  const found = problems.find(([, wrong]) => wrong.length === 0)?.[0];
  if (found !== undefined) return found;
  expect(wrongIfOf(store), name).toEqual([]);
  return 'nobody';
}

async function networked(): Promise<ReadonlyMap<string, string>> {
  const store = createMemoryStore(smallCluster(POOLS));
  await addRecords(OLD)(store);
  return store.values();
}

interface Telling {
  /** The datastore at the beginning: the old sandbox is networked in it. */
  readonly values?: ReadonlyMap<string, string>;
  /** False: every order, but nothing is cut. Two actors with many requests have thousands of histories else. */
  readonly cuts?: boolean;
}

/** Lets the actors loose in every order, each cut in every way. Gives the number of histories. */
async function everyStory(
  actors: readonly Records[],
  examine: (story: Story) => Promise<void>,
  { values = new Map(), cuts = true }: Telling = {},
): Promise<number> {
  const initial = values.size > 0 ? values : await networked();
  let count = 0;
  const tell = async (choices: readonly number[], cut?: Cut) => {
    count += 1;
    const store = createMemoryStore(initial);
    const run = await runActors(store, actors, choices, cut);
    const name = `order ${run.choices.join('')}, cut ${cut === undefined ? 'none' : `${cut.mode} at ${cut.at}`}`;
    await examine({ store, run, cut, name });
    return run;
  };
  await everyOrder(async (choices) => {
    const whole = await tell(choices);
    for (const cut of cuts ? everyCut(whole.trace) : []) await tell(whole.choices, cut);
    return whole.choices;
  });
  return count;
}

function haveSucceeded({ run }: Story): boolean {
  return run.outcomes.every(({ status }) => status === 'fulfilled');
}

/** Nothing must be left of the pod, and its addresses are free. */
async function cleanAfter({ store, name }: Story, ...calls: readonly RecordCall[]): Promise<void> {
  for (const call of calls) await delRecords(call)(store);
  expect(wrongIfOf(store), `${name}, after the DELs`).toEqual([]);
  await addRecords(THIEF)(store);
  expect(wrongIfOf(store, 'thief'), `${name}, after another ADD`).toEqual([]);
}

describe('an ADD of a new sandbox', () => {
  it.each([
    ['DEL of the old one, DEL of the new one', [OLD, NEW]],
    ['DEL of the new one, DEL of the old one', [NEW, OLD]],
  ])('has all addresses or none: ADD, %s', async (_order, dels) => {
    const count = await everyStory([addRecords(NEW)], async (story) => {
      const now = holder(story);
      expect(now, story.name).not.toBe('nobody');
      if (haveSucceeded(story)) expect(now, story.name).toBe('new');
      await cleanAfter(story, ...dels);
    });
    expect(count).toBeGreaterThan(5);
  });

  it('keeps its addresses when the old one is deleted afterwards', () =>
    everyStory([addRecords(NEW)], async (story) => {
      if (!haveSucceeded(story)) return;
      expect(await delRecords(OLD)(story.store), story.name).toEqual([]);
      expect(holder(story), story.name).toBe('new');
    }));

  it('comes to the same end while the old one is being deleted', () =>
    everyStory([addRecords(NEW), delRecords(OLD)], async (story) => {
      const now = holder(story);
      if (haveSucceeded(story)) expect(now, story.name).toBe('new');
      await cleanAfter(story, OLD, NEW);
    }));

  it('loses no address to a pod that names the same ones', () =>
    everyStory([addRecords(NEW), addRecords(THIEF)], async (story) => {
      expect(story.run.outcomes[1]?.status, story.name).toBe('rejected');
      expect(holder(story), story.name).not.toBe('nobody');
      await cleanAfter(story, OLD, NEW, THIEF);
    }));

  it('loses no address to a pod that takes any', async () => {
    const only = (call: RecordCall) => ({ ...call, requestedAddresses: [parseIpAddress('10.9.0.6')] });
    const before = createMemoryStore(smallCluster({ '10.9.0.6/32': 32 }));
    await addRecords(only(OLD))(before);
    const thief = addRecords({ ...THIEF, requestedAddresses: [] });
    await everyStory(
      [addRecords(only(NEW)), thief],
      async ({ run, name }) => expect(run.outcomes[1]?.status, name).toBe('rejected'),
      { values: before.values() },
    );
  });
});

describe('an ADD of a new sandbox that fails', () => {
  it('gives the old one its addresses and its endpoint again', () =>
    everyStory([failedAddRecords(NEW)], async (story) => {
      const now = holder(story);
      if (haveSucceeded(story)) expect(now, story.name).toBe('old');
      await cleanAfter(story, NEW, OLD);
    }));

  it('leaves the datastore as it was, but for the numbers of the blocks', async () => {
    const before = await networked();
    const store = createMemoryStore(before);
    await failedAddRecords(NEW)(store);
    const numberless = (values: ReadonlyMap<string, string>) =>
      new Map(Array.from(values, ([key, value]) => [key, value.replace(/"sequenceNumber.*/, '')]));
    expect(numberless(store.values())).toEqual(numberless(before));
  });

  it('leaves no endpoint for an old one whose interface is gone, though nobody released its addresses', async () => {
    const store = createMemoryStore(await networked());
    await failedAddRecords({ ...NEW, isOnHost: () => false })(store);
    expect([...store.values().keys()].filter((key) => key.includes('/workloadendpoints/'))).toEqual([]);
    await delRecords(OLD)(store);
    expect(wrongIfOf(store)).toEqual([]);
  });

  it('loses no address to others on the way there and back', () =>
    everyStory([failedAddRecords(NEW), addRecords(THIEF)], async (story) => {
      expect(story.run.outcomes[1]?.status, story.name).toBe('rejected');
      if (story.cut === undefined) expect(holder(story), story.name).toBe('old');
      await cleanAfter(story, OLD, NEW, THIEF);
    }));

  it('leaves nothing that the pod’s next sandbox does not take over, when the old one is deleted meanwhile', async () => {
    const examine = async (story: Story) => {
      expect(['old', 'nobody']).toContain(holder(story));
      const next = sandbox('next');
      await delRecords(NEW)(story.store);
      await addRecords(next)(story.store);
      expect(wrongIfOf(story.store, 'next'), story.name).toEqual([]);
      await cleanAfter(story, next);
    };
    await everyStory([failedAddRecords(NEW), delRecords(OLD)], examine, { cuts: false });
  });
});

describe('an ADD of a new sandbox that gets other addresses, and fails', () => {
  const elsewhere = ['10.9.0.9', 'fd00:9::19'].map(parseIpAddress);

  it.each([
    ['of the same blocks', { requestedAddresses: [], families: [4, 6] as const }],
    ['of other blocks', { requestedAddresses: elsewhere }],
  ])('never restores an endpoint whose addresses are free: addresses %s', async (_which, asked) => {
    const failedAdd = failedAddRecords({ ...NEW, ...asked });
    await everyStory([failedAdd], async (story) => {
      if (haveSucceeded(story)) expect(holder(story), story.name).toBe('old');
      await cleanAfter(story, NEW, OLD);
    });
    const examine = async (story: Story) => {
      expect(haveSucceeded(story), story.name).toBe(true);
      expect(holder(story), story.name).toBe('nobody');
      await cleanAfter(story);
    };
    await everyStory([failedAdd, delRecords(OLD)], examine, { cuts: false });
  });
});
