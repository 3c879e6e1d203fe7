/** What every Store promises, asked of each adapter in turn. */

import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ABSENT } from '../../src/base/revision.ts';
import { openEtcdStore } from '../../src/datastore/etcd/etcd-store.ts';
import { openEtcd3Store } from '../../src/datastore/etcd/etcd3-store.ts';
import { scan } from '../../src/datastore/scan.ts';
import { openSqliteStore } from '../../src/datastore/sqlite/sqlite-store.ts';
import type { Store } from '../../src/datastore/store.ts';
import { deadline, realClock } from '../support/clock.ts';
import { type Etcd, startEtcd } from '../support/etcd.ts';
import { createMemoryStore } from '../support/memory-store.ts';

let etcd: Etcd;
let folder: string;

beforeAll(async () => {
  etcd = await startEtcd();
  folder = mkdtempSync(join(tmpdir(), 'store-'));
});
afterAll(async () => {
  await etcd.stop();
  rmSync(folder, { recursive: true });
});

const etcdSettings = () => ({
  endpoints: [etcd.endpoint],
  caCertFile: undefined,
  certFile: undefined,
  keyFile: undefined,
  user: undefined,
});

const adapters: readonly (readonly [string, () => Store])[] = [
  ['in memory', () => createMemoryStore()],
  ['on etcd', () => openEtcdStore(etcdSettings(), realClock)],
  ['on etcd, through etcd3', () => openEtcd3Store(etcdSettings(), realClock)],
  ['on SQLite', () => openSqliteStore(join(folder, 'embedded.db'), realClock)],
];

describe.each(adapters)('a store %s', (_name, open) => {
  let store: Store;

  beforeEach(async () => {
    await etcd.wipe();
    for (const file of readdirSync(folder)) rmSync(join(folder, file));
    store = open();
  });

  const put = async (key: string, value: string, revision = ABSENT) =>
    store.commit({ expect: [{ key, revision }], write: [{ type: 'put', key, value }] }, deadline());
  const read = async (key: string) => (await store.read([{ key }], deadline())).entries[0]?.[0];

  it('reads nothing where nothing is', async () => {
    const { entries } = await store.read([{ key: '/a' }, { prefix: '/b/' }], deadline());
    expect(entries).toEqual([[], []]);
  });

  it('reads keys and prefixes in one snapshot, prefixes in key order', async () => {
    for (const key of ['/b/10.0.0.64-26', '/b/10.0.0.128-26', '/c', '/b']) await put(key, `value of ${key}`);
    const { entries } = await store.read([{ key: '/c' }, { prefix: '/b/' }], deadline());
    expect(entries.map((found) => found.map(({ key }) => key))).toEqual([
      ['/c'],
      ['/b/10.0.0.128-26', '/b/10.0.0.64-26'],
    ]);
    expect(entries[0]?.[0]?.value).toBe('value of /c');
  });

  it('reads keys without values, and no more than the limit', async () => {
    for (const key of ['/b/1', '/b/2', '/b/3']) await put(key, 'x');
    const { entries } = await store.read([{ prefix: '/b/', keysOnly: true, limit: 2 }], deadline());
    expect(entries[0]?.map(({ key, value }) => [key, value])).toEqual([
      ['/b/1', ''],
      ['/b/2', ''],
    ]);
  });

  it('reads on after a key', async () => {
    for (const key of ['/b/1', '/b/2', '/b/20', '/b/3', '/c']) await put(key, 'x');
    const keysAfter = async (key: string, limit = 0) =>
      (await store.read([{ prefix: '/b/', after: key, limit }], deadline())).entries[0]?.map(
        (one) => one.key,
      );
    expect(await keysAfter('/b/2')).toEqual(['/b/20', '/b/3']);
    expect(await keysAfter('/b/1', 2)).toEqual(['/b/2', '/b/20']);
    expect(await keysAfter('/b/3')).toEqual([]);
  });

  it('reads a prefix as it was, or says that it has forgotten', async () => {
    await put('/b/1', 'then');
    const { revision } = await store.read([{ prefix: '/b/' }], deadline());
    const then = () => store.read([{ prefix: '/b/', at: revision }], deadline());
    expect((await then()).entries[0]?.map(({ value }) => value)).toEqual(['then']);
    await put('/b/2', 'later');
    const again = await then().catch((error) => error);
    if (again instanceof Error) expect(again).toMatchObject({ kind: 'conflict' });
    else expect(again.entries[0]).toHaveLength(1);
  });

  it('scans prefixes of any size at one revision', async () => {
    for (let i = 0; i < 300; i++) await put(`/b/${String(i).padStart(3, '0')}`, 'x');
    await put('/c/1', 'y');
    const found: string[] = [];
    for await (const { prefix, entries } of scan(store, [{ prefix: '/b/' }, { prefix: '/c/' }], deadline()))
      found.push(...entries.map(({ key }) => `${prefix} ${key}`));
    expect(found).toHaveLength(301);
    expect(new Set(found).size).toBe(301);
    expect(found.slice(-2)).toEqual(['/b/ /b/299', '/c/ /c/1']);
  });

  it('creates a key only while it does not exist', async () => {
    expect(await put('/a', 'first')).toMatchObject({ committed: true });
    const second = await put('/a', 'second');
    expect(second.committed).toBe(false);
    expect((await read('/a'))?.value).toBe('first');
  });

  it('answers a lost commit with what the expected keys are now', async () => {
    await put('/a', 'now');
    const commit = await store.commit(
      {
        expect: [
          { key: '/a', revision: '999' },
          { key: '/none', revision: '5' },
        ],
        write: [{ type: 'put', key: '/a', value: 'x' }],
      },
      deadline(),
    );
    expect(commit).toEqual({
      committed: false,
      current: new Map([
        ['/a', await read('/a')],
        ['/none', undefined],
      ]),
    });
  });

  it('writes all or nothing', async () => {
    await put('/a', '1');
    const revision = (await read('/a'))?.revision ?? '';
    const expectBoth = [
      { key: '/a', revision },
      { key: '/b', revision: '7' },
    ];
    const write = [
      { type: 'put', key: '/a', value: '2' },
      { type: 'put', key: '/b', value: '2' },
    ] as const;
    expect((await store.commit({ expect: expectBoth, write }, deadline())).committed).toBe(false);
    expect((await read('/a'))?.value).toBe('1');
    expect((await store.commit({ expect: expectBoth.slice(0, 1), write }, deadline())).committed).toBe(true);
    expect((await read('/b'))?.value).toBe('2');
  });

  it('gives a key a new revision with every write, and the commit tells it', async () => {
    const first = await put('/a', 'x');
    const revision = (await read('/a'))?.revision ?? '';
    expect(first).toEqual({ committed: true, revision });
    await put('/a', 'x', revision);
    expect((await read('/a'))?.revision).not.toBe(revision);
  });

  it('deletes a key at its revision, and not at another', async () => {
    await put('/a', 'x');
    const remove = (revision: string) =>
      store.commit({ expect: [{ key: '/a', revision }], write: [{ type: 'delete', key: '/a' }] }, deadline());
    expect((await remove('999')).committed).toBe(false);
    expect((await remove((await read('/a'))?.revision ?? '')).committed).toBe(true);
    expect(await read('/a')).toBeUndefined();
  });

  it('lets exactly one of many writers of one revision win', async () => {
    const commits = await Promise.all(
      Array.from({ length: 16 }, (_unused, writer) => put('/a', String(writer))),
    );
    expect(commits.filter(({ committed }) => committed)).toHaveLength(1);
  });

  it('keeps text beyond ASCII', async () => {
    await put('/a', '{"note":"Ümlaut, 漢字, 🐱"}');
    expect((await read('/a'))?.value).toBe('{"note":"Ümlaut, 漢字, 🐱"}');
  });
});

const etcdClients = [
  ['etcd', openEtcdStore],
  ['etcd, through etcd3', openEtcd3Store],
] as const;

describe.each(etcdClients)('a store on %s', (_name, open) => {
  const unreachable = {
    endpoints: ['http://127.0.0.1:1'],
    caCertFile: undefined,
    certFile: undefined,
    keyFile: undefined,
    user: undefined,
  };

  it('names the endpoint that cannot be reached, well before the deadline', async () => {
    const store = open(unreachable, realClock);
    await expect(store.read([{ key: '/a' }], deadline(600))).rejects.toMatchObject({
      kind: 'unavailable',
      message: expect.stringMatching(/cannot reach etcd at http:\/\/127\.0\.0\.1:1: .*ECONNREFUSED/),
    });
    await store.close();
  });

  it('says so when etcd has compacted the revision that is being read', async () => {
    const store = open(etcdSettings(), realClock);
    await etcd.put('/b/1', 'then');
    const { revision } = await store.read([{ prefix: '/b/' }], deadline());
    await etcd.put('/b/1', 'later');
    const now = await store.read([{ prefix: '/b/' }], deadline());
    await etcd.admin('kv/compaction', { revision: now.revision });
    await expect(store.read([{ prefix: '/b/', at: revision }], deadline())).rejects.toMatchObject({
      kind: 'conflict',
    });
    await store.close();
  });

  it('takes an IPv6 address in brackets', async () => {
    const store = open({ ...unreachable, endpoints: ['http://[::1]:1'] }, realClock);
    await expect(store.read([{ key: '/a' }], deadline(600))).rejects.toThrow(
      /\[::1\]:1: .*connect E.* ::1:1/,
    );
    await store.close();
  });

  it('goes on to another endpoint when one is dead', async () => {
    const store = open({ ...unreachable, endpoints: ['http://127.0.0.1:1', etcd.endpoint] }, realClock);
    for (let i = 0; i < 6; i++) await store.read([{ key: '/a' }], deadline());
    await store.close();
  });

  it('goes on to another endpoint when one accepts connections and says nothing', async () => {
    const silent = createServer();
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const address = silent.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    const endpoints = [`http://127.0.0.1:${port}`, etcd.endpoint];
    const store = open({ ...unreachable, endpoints }, realClock);
    const startMs = performance.now();
    for (let i = 0; i < 6; i++) await store.read([{ key: '/a' }], deadline());
    expect(performance.now() - startMs).toBeLessThan(5_000);
    await store.close();
    silent.close();
  });

  it('does not wait for ever where users have to log in and etcd says nothing', async () => {
    const store = open({ ...etcdSettings(), user: { name: 'root', password: 'x' } }, realClock);
    etcd.pause();
    try {
      await expect(store.read([{ key: '/a' }], deadline(500))).rejects.toMatchObject({ kind: 'unavailable' });
    } finally {
      etcd.resume();
      await store.close();
    }
  });

  it('says so when a user is configured and etcd knows none', async () => {
    const store = open({ ...etcdSettings(), user: { name: 'root', password: 'x' } }, realClock);
    await expect(store.read([{ key: '/a' }], deadline())).rejects.toMatchObject({
      kind: 'denied',
      message: expect.stringContaining('has no users'),
    });
    await store.close();
  });

  it('gives up at the deadline when etcd does not answer', async () => {
    const store = open(etcdSettings(), realClock);
    await store.read([{ key: '/a' }], deadline());
    etcd.pause();
    try {
      await expect(store.read([{ key: '/a' }], deadline(300))).rejects.toMatchObject({ kind: 'unavailable' });
      const write = {
        expect: [{ key: '/a', revision: ABSENT }],
        write: [{ type: 'put', key: '/a', value: 'x' }],
      } as const;
      await expect(store.commit(write, deadline(1_000))).rejects.toMatchObject({
        name: 'AmbiguousCommitError',
      });
    } finally {
      etcd.resume();
      await store.close();
    }
  });

  it('names the TLS file that cannot be read', () => {
    const settings = {
      ...etcdSettings(),
      endpoints: ['https://127.0.0.1:1'],
      caCertFile: '/nonexistent/ca.pem',
    };
    expect(() => open(settings, realClock)).toThrow('cannot read etcd_ca_cert_file /nonexistent/ca.pem');
  });
});
