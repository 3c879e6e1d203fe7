/** What every Watch promises, asked of each adapter in turn. */

import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { createInterrupter } from '../../src/base/interruption.ts';
import { openEtcdStore } from '../../src/datastore/etcd/etcd-store.ts';
import { openEtcdWatch } from '../../src/datastore/etcd/etcd-watch.ts';
import type { Store, Write } from '../../src/datastore/store.ts';
import type { Change, Watch, WatchListener } from '../../src/datastore/watch.ts';
import { deadline, realClock } from '../support/clock.ts';
import { type Etcd, startEtcd } from '../support/etcd.ts';
import { createMemoryDatastore } from '../support/memory-watch.ts';

let etcd: Etcd;
beforeAll(async () => {
  etcd = await startEtcd();
});
afterAll(() => etcd.stop());

interface Datastore {
  readonly store: Store;
  readonly watch: Watch;
  /** Forgets all revisions before the current one. */
  readonly compact: () => Promise<void>;
}

function inMemory(): Datastore {
  const { store, watch, compact } = createMemoryDatastore();
  return { store, watch, compact: async () => compact() };
}

function onEtcd(): Datastore {
  const files = { caCertFile: undefined, certFile: undefined, keyFile: undefined };
  const settings = { endpoints: [etcd.endpoint], user: undefined, ...files };
  const store = openEtcdStore(settings, realClock);
  return {
    store,
    watch: openEtcdWatch(settings, realClock),
    compact: async () => {
      const { revision } = await store.read([{ key: '/' }], deadline());
      await etcd.admin('kv/compaction', { revision, physical: true });
    },
  };
}

const put = (key: string, value: string): Write => ({ type: 'put', key, value });
const remove = (key: string): Write => ({ type: 'delete', key });

describe.each([
  ['in memory', inMemory],
  ['on etcd', onEtcd],
])('a watch %s', (_name, open) => {
  let datastore: Datastore;

  beforeEach(async () => {
    await etcd.wipe();
    datastore = open();
    onTestFinished(() => datastore.store.close());
  });

  const write = async (...writes: readonly Write[]) => {
    const commit = await datastore.store.commit({ expect: [], write: writes }, deadline());
    if (!commit.committed) throw new Error('nothing was expected');
    return commit.revision;
  };

  /** What it was told, prefix by prefix. */
  async function follow(prefixes: readonly string[], from: string, listener: Partial<WatchListener> = {}) {
    const told = new Map<string, (readonly Change[])[]>(prefixes.map((prefix) => [prefix, []]));
    const { interruption, interrupt } = createInterrupter();
    const begun = Promise.withResolvers<{ readonly id: string; readonly revision: string }>();
    const ended = datastore.watch.follow({
      ranges: prefixes.map((prefix) => ({ prefix, from })),
      listener: {
        onBegin: begun.resolve,
        onChanges: ({ prefix }, changes) => void told.get(prefix)?.push(changes),
        onProgress: () => undefined,
        ...listener,
      },
      interruption,
    });
    ended.catch(begun.reject);
    onTestFinished(() => interrupt('the end of the test'));
    const { id, revision } = await begun.promise;
    const hears = async (prefix: string, count: number) => {
      for (const endMs = performance.now() + 20_000; performance.now() < endMs; await sleep(5)) {
        const changes = (told.get(prefix) ?? []).flat();
        if (changes.length >= count) return changes.map(({ key, value }) => `${key}=${value}`);
      }
      throw new Error(`only ${JSON.stringify(told.get(prefix))} was heard of ${prefix}`);
    };
    return { told, hears, ended, interrupt, id, revision };
  }

  const next = (revision: string) => String(BigInt(revision) + 1n);

  it('tells of what is written and removed, in order, and of nothing else', async () => {
    const revision = await write(put('/b/1', 'before'));
    const { hears, told } = await follow(['/b/', '/c/'], next(revision));
    await write(put('/b/1', 'x'));
    await write(put('/a', 'x'), put('/d', 'x'), put('/b', 'x'));
    await write(put('/b/2', 'ü'));
    await write(remove('/b/1'));
    await write(put('/c/1', 'y'));
    expect(await hears('/b/', 3)).toEqual(['/b/1=x', '/b/2=ü', '/b/1=undefined']);
    expect(await hears('/c/', 1)).toEqual(['/c/1=y']);
    expect(told.get('/b/')?.flat()).toHaveLength(3);
  });

  it('begins with what happened since', async () => {
    const revision = await write(put('/b/1', '1'));
    await write(put('/b/1', '2'));
    await write(put('/b/1', '3'));
    const { hears } = await follow(['/b/'], revision);
    expect(await hears('/b/', 3)).toEqual(['/b/1=1', '/b/1=2', '/b/1=3']);
  });

  it('tells what was written at one revision together, with that revision', async () => {
    const { told, hears } = await follow(['/b/'], next(await write(put('/b/0', 'x'))));
    const revision = await write(put('/b/1', 'x'), put('/b/2', 'x'), put('/b/3', 'x'));
    await hears('/b/', 3);
    expect(told.get('/b/')).toHaveLength(1);
    expect(
      told
        .get('/b/')
        ?.flat()
        .map((change) => change.revision),
    ).toEqual([revision, revision, revision]);
  });

  it('tells how far the datastore is when it begins', async () => {
    const written = await write(put('/b/1', 'x'));
    const first = await follow(['/b/', '/c/'], next(written));
    expect(first.revision).toBe(written);
    expect((await follow(['/c/'], next(written))).id).toBe(first.id);
  });

  it('rejects with "conflict" when what happened since has been forgotten', async () => {
    const revision = await write(put('/b/1', '1'));
    await write(put('/b/1', '2'));
    await datastore.compact();
    const { ended } = await follow(['/b/'], revision).catch((error) => ({ ended: Promise.reject(error) }));
    await expect(ended).rejects.toMatchObject({ name: 'CalicoError', kind: 'conflict' });
  });

  it('ends when it is interrupted', async () => {
    const { ended, interrupt } = await follow(['/b/'], next(await write(put('/b/1', 'x'))));
    interrupt('SIGTERM');
    await expect(ended).rejects.toMatchObject({ name: 'CalicoError', kind: 'unavailable' });
  });

  it.each(['onBegin', 'onChanges'] as const)('rejects with what %s throws', async (name) => {
    const error = new Error('this cannot be borne');
    const fails = () => {
      throw error;
    };
    const revision = await write(put('/b/1', 'x'));
    const following = follow(['/b/'], revision, { [name]: fails });
    const ended = following.then((it) => it.ended);
    await expect(ended).rejects.toBe(error);
  });
});
