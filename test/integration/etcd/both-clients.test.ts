/** The same transactions through both etcd clients: equal answers, equal data. */

import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ABSENT } from '../../../src/base/revision.ts';
import { openEtcdStore } from '../../../src/datastore/etcd/etcd-store.ts';
import { openEtcd3Store } from '../../../src/datastore/etcd/etcd3-store.ts';
import type { Commit, Range, Snapshot, Store, Transaction, Write } from '../../../src/datastore/store.ts';
import { deadline, realClock } from '../../support/clock.ts';
import { type Etcd, startEtcd } from '../../support/etcd.ts';

let etcd: Etcd;
let ours: Store;
let theirs: Store;
beforeAll(async () => {
  etcd = await startEtcd();
  const files = { caCertFile: undefined, certFile: undefined, keyFile: undefined };
  const settings = { endpoints: [etcd.endpoint], user: undefined, ...files };
  ours = openEtcdStore(settings, realClock);
  theirs = openEtcd3Store(settings, realClock);
});
afterAll(async () => {
  await Promise.all([ours.close(), theirs.close()]);
  await etcd.stop();
});

const KEYS = ['a', 'b', 'b/1', 'b/2', 'ü'];
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  // More than one frame, more than one window.
  fc.integer({ min: 0, max: 150_000 }).map((length) => 'y'.repeat(length)),
);

/** A transaction in which a key is expected at its revision, not to exist, or at a revision it never had. */
interface Step {
  readonly expect: readonly { readonly key: string; readonly at: 'now' | 'absent' | 'never' }[];
  readonly write: readonly Write[];
  readonly read: readonly Range[];
}

const key = fc.constantFrom(...KEYS);
const write: fc.Arbitrary<Write> = fc.oneof(
  fc.record({ type: fc.constant('put' as const), key, value: text }),
  fc.record({ type: fc.constant('delete' as const), key }),
);
const step: fc.Arbitrary<Step> = fc.record({
  expect: fc.array(fc.record({ key, at: fc.constantFrom('now', 'now', 'now', 'absent', 'never') }), {
    maxLength: 4,
  }),
  write: fc.uniqueArray(write, { selector: (each) => each.key, maxLength: 4 }),
  read: fc.array(
    fc.oneof(
      fc.record({ key }),
      fc.record({ prefix: fc.constantFrom('a', 'b', 'b/'), keysOnly: fc.boolean(), limit: fc.nat(3) }),
    ),
    { minLength: 1, maxLength: 5 },
  ),
});

/** The step on the keys under `root`, with the revisions that these have. */
async function transactionOf(
  store: Store,
  root: string,
  { expect: expected, write: writes }: Step,
): Promise<Transaction> {
  const { entries } = await store.read([{ prefix: root }], deadline());
  const revisions = new Map(entries[0]?.map((entry) => [entry.key, entry.revision]));
  const revisionOf = {
    now: (at: string) => revisions.get(at) ?? ABSENT,
    absent: () => ABSENT,
    never: () => '1',
  };
  return {
    expect: expected.map((each) => ({
      key: root + each.key,
      revision: revisionOf[each.at](root + each.key),
    })),
    write: writes.map((each) => ({ ...each, key: root + each.key })),
  };
}

/** What does not depend on which root it was, and when. */
function comparable(root: string, commit: Commit): unknown {
  if (commit.committed) return 'committed';
  return [...commit.current].map(([at, entry]) => [
    at.slice(root.length),
    entry?.key.slice(root.length),
    entry?.value,
  ]);
}

function underRoot(root: string, ranges: readonly Range[]): readonly Range[] {
  return ranges.map((range) =>
    'key' in range ? { key: root + range.key } : { ...range, prefix: root + range.prefix },
  );
}

async function dataUnder(root: string): Promise<unknown> {
  return [...(await etcd.list(root))].map(([at, value]) => [at.slice(root.length), value]);
}

it('both clients give the same answers and leave the same data', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 6 }), async (steps) => {
      await etcd.wipe();
      for (const each of steps) {
        const [mine, other] = await Promise.all(
          [ours, theirs].map(async (store, index) => {
            const root = `/${index}/`;
            const commit = await store.commit(await transactionOf(store, root, each), deadline());
            return comparable(root, commit);
          }),
        );
        expect(mine).toEqual(other);
        expect(await dataUnder('/0/')).toEqual(await dataUnder('/1/'));
        for (const root of ['/0/', '/1/']) {
          const ranges = [...underRoot(root, each.read), { prefix: root }];
          const snapshots: Snapshot[] = await Promise.all(
            [ours, theirs].map((store) => store.read(ranges, deadline())),
          );
          expect(snapshots[0]).toEqual(snapshots[1]);
        }
      }
    }),
    { numRuns: 60 },
  );
});
