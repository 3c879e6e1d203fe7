import { describe, expect, it } from 'vitest';
import { CalicoError } from '../../../src/base/calico-error.ts';
import { deadlineIn } from '../../../src/base/deadline.ts';
import { ABSENT } from '../../../src/base/revision.ts';
import { AmbiguousCommitError } from '../../../src/datastore/ambiguous-commit.ts';
import { type Decision, settle } from '../../../src/datastore/settle.ts';
import type { Store } from '../../../src/datastore/store.ts';
import { entryAt, type View } from '../../../src/datastore/view.ts';
import { createMemoryStore, type MemoryStore } from '../../support/memory-store.ts';

/** Time that only moves when somebody sleeps. */
function fakeClock() {
  let now = 0;
  return {
    nowNs: () => 0n,
    monotonicMs: () => now,
    sleep: async (ms: number) => {
      now += ms + 0.01;
    },
  };
}

/** Adds our name to the list at /list, once. */
function join(name: string) {
  return (view: View): Decision<readonly string[]> => {
    const entry = entryAt(view, '/list');
    const names: readonly string[] = entry ? JSON.parse(entry.value) : [];
    if (names.includes(name)) return { step: 'done', outcome: names };
    const value = JSON.stringify([...names, name]);
    const transaction = {
      expect: [{ key: '/list', revision: entry?.revision ?? ABSENT }],
      write: [{ type: 'put' as const, key: '/list', value }],
    };
    return { step: 'commit', transaction, outcome: [...names, name] };
  };
}

async function run<T>(store: Store, decide: (view: View) => Decision<T>, budgetMs = 60_000): Promise<T> {
  const clock = fakeClock();
  const deadline = deadlineIn(clock, budgetMs, 'the test');
  return settle({ store, ranges: [{ key: '/list' }], decide, deadline, clock, random: () => 0.5 });
}

/** A store that lets something happen before each commit. */
function interfering(store: MemoryStore, before: (commit: number) => void): Store {
  let commits = 0;
  return {
    ...store,
    commit: (...args) => {
      commits += 1;
      before(commits);
      return store.commit(...args);
    },
  };
}

describe('settle()', () => {
  it('commits what was decided, in two requests', async () => {
    const store = createMemoryStore();
    expect(await run(store, join('a'))).toEqual(['a']);
    expect(store.requests()).toBe(2);
  });

  it('decides again on what another writer wrote, with one request more', async () => {
    const store = createMemoryStore();
    const other = interfering(store, (commit) => commit === 1 && store.put('/list', '["b"]'));
    expect(await run(other, join('a'))).toEqual(['b', 'a']);
    expect(store.requests()).toBe(3);
  });

  it('writes nothing when it is all there already', async () => {
    const store = createMemoryStore(new Map([['/list', '["a"]']]));
    expect(await run(store, join('a'))).toEqual(['a']);
    expect(store.requests()).toBe(1);
  });

  it.each([
    ['was applied', true],
    ['was lost', false],
  ])('finds out whether a commit without an answer %s, and does it once', async (_name, applied) => {
    const store = createMemoryStore();
    let cut = true;
    const flaky: Store = {
      ...store,
      commit: async (...args) => {
        if (!cut) return store.commit(...args);
        cut = false;
        if (applied) await store.commit(...args);
        throw new AmbiguousCommitError(new Error('connection reset'));
      },
    };
    expect(await run(flaky, join('a'))).toEqual(['a']);
    expect(store.values().get('/list')).toBe('["a"]');
  });

  it('reads what a decision asks to see as well', async () => {
    const store = createMemoryStore(new Map([['/more', 'yes']]));
    const decide = (view: View): Decision<string | undefined> =>
      view.entries.has('/more')
        ? { step: 'done', outcome: entryAt(view, '/more')?.value }
        : { step: 'look', ranges: [{ key: '/more' }] };
    expect(await run(store, decide)).toBe('yes');
  });

  it('gives up after a hundred lost commits', async () => {
    const store = createMemoryStore();
    const never = interfering(store, (commit) => store.put('/list', `["b${commit}"]`));
    await expect(run(never, join('a'))).rejects.toMatchObject({
      kind: 'conflict',
      message: /excessive concurrent IPAM requests/,
    });
  });

  it('gives up at the deadline', async () => {
    const store = createMemoryStore();
    const never = interfering(store, (commit) => store.put('/list', `["b${commit}"]`));
    await expect(run(never, join('a'), 100)).rejects.toMatchObject({
      kind: 'unavailable',
      message: /did not finish within 100 ms/,
    });
  });

  it('does not follow a decision that never stops asking', async () => {
    const decide = (): Decision<never> => ({ step: 'look', ranges: [{ key: '/x' }] });
    await expect(run(createMemoryStore(), decide)).rejects.toMatchObject({ kind: 'internal' });
  });

  it('lets every other error through', async () => {
    const denied = new CalicoError('denied', 'no');
    const store: Store = { ...createMemoryStore(), commit: () => Promise.reject(denied) };
    await expect(run(store, join('a'))).rejects.toBe(denied);
  });

  it('lets many writers all have their turn', async () => {
    const store = createMemoryStore();
    const names = Array.from({ length: 20 }, (_unused, i) => `w${i}`);
    await Promise.all(names.map((name) => run(store, join(name))));
    expect(JSON.parse(store.values().get('/list') ?? '[]').sort()).toEqual([...names].sort());
  });
});
