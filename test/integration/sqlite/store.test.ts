/** What the embedded datastore does beyond the contract of every Store. */

import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ABSENT } from '../../../src/base/revision.ts';
import { openDatabase } from '../../../src/datastore/sqlite/open-database.ts';
import { openSqliteStore } from '../../../src/datastore/sqlite/sqlite-store.ts';
import type { Store } from '../../../src/datastore/store.ts';
import { deadline, realClock } from '../../support/clock.ts';

let folder: string;
let file: string;
let store: Store;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'embedded-'));
  file = join(folder, 'embedded.db');
  store = openSqliteStore(file, realClock);
});
afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true });
});

const put = (key: string, value = 'x', revision = ABSENT, within = deadline()) =>
  store.commit({ expect: [{ key, revision }], write: [{ type: 'put', key, value }] }, within);
const list = async (prefix: string) =>
  (await store.read([{ prefix }], deadline())).entries[0]?.map(({ key }) => key);

describe('an embedded datastore that was never written to', () => {
  it('is empty, and reading makes no file', async () => {
    expect(await store.read([{ key: '/a' }, { prefix: '/' }], deadline())).toEqual({
      revision: '1',
      entries: [[], []],
    });
    expect(readdirSync(folder)).toEqual([]);
  });

  it('is empty also when its process was killed between making the file and filling it', async () => {
    new DatabaseSync(file).close();
    await expect(store.read([{ key: '/a' }], deadline())).resolves.toMatchObject({ entries: [[]] });
    expect(await put('/a')).toEqual({ committed: true, revision: '2' });
  });

  it('stays empty when its first commit is lost', async () => {
    expect(await put('/a', 'x', '7')).toEqual({ committed: false, current: new Map([['/a', undefined]]) });
    expect(await list('')).toEqual([]);
  });

  it('is made by the first commit, for its owner alone, directories too', async () => {
    file = join(folder, 'lib/calico/embedded.db');
    store = openSqliteStore(file, realClock);
    expect(await put('/a')).toEqual({ committed: true, revision: '2' });
    const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8);
    expect(modeOf(join(folder, 'lib'))).toBe('700');
    expect(modeOf(join(folder, 'lib/calico'))).toBe('700');
    for (const name of readdirSync(join(folder, 'lib/calico'))) {
      expect([name, modeOf(join(folder, 'lib/calico', name))]).toEqual([name, '600']);
    }
  });
});

describe('the embedded datastore', () => {
  it('lists a prefix in byte order, whatever the bytes', async () => {
    const keys = ['/a', '/a/', '/a/\u{7f}', '/a/\u{7ff}', '/a/\u{ffff}', '/a/\u{10ffff}', '/a0', '/b'];
    for (const key of keys.toReversed()) await put(key);
    expect(await list('')).toEqual(keys);
    expect(await list('/a/')).toEqual(keys.slice(1, 6));
    expect(await list('/a')).toEqual(keys.slice(0, 7));
    expect(await list('/a/\u{10ffff}')).toEqual(['/a/\u{10ffff}']);
  });

  it('keeps every text as it is', async () => {
    const value = `{"a":"\u{0}\\u0000 '\u{1f431} ${'long '.repeat(50_000)}"}`;
    await put(`/it's "a" %_* key`, value);
    const { entries } = await store.read([{ key: `/it's "a" %_* key` }], deadline());
    expect(entries[0]?.[0]?.value).toBe(value);
  });

  it('counts a revision per commit, and none for one that writes nothing', async () => {
    await put('/a');
    const nothing = { expect: [{ key: '/a', revision: '2' }], write: [] };
    expect(await store.commit(nothing, deadline())).toEqual({ committed: true, revision: '2' });
    expect((await put('/a', 'x', '9')).committed).toBe(false);
    expect(await put('/b')).toEqual({ committed: true, revision: '3' });
    expect((await store.read([], deadline())).revision).toBe('3');
  });

  it('goes on in another process where this one was closed', async () => {
    await put('/a', '1');
    await store.close();
    store = openSqliteStore(file, realClock);
    expect(await put('/a', '2', '2')).toEqual({ committed: true, revision: '3' });
  });

  it('takes a file that was put in its place for what it is', async () => {
    const other = openSqliteStore(join(folder, 'other.db'), realClock);
    await other.commit({ expect: [], write: [{ type: 'put', key: '/other', value: '' }] }, deadline());
    await put('/a');
    renameSync(join(folder, 'other.db'), file);
    expect(await list('')).toEqual(['/other']);
    rmSync(file);
    expect(await list('')).toEqual([]);
  });

  it('is opened with the settings on which its durability rests', async () => {
    await put('/a');
    using db = openDatabase(file);
    const setting = (name: string) => db.prepare(`PRAGMA ${name}`).get()?.[name];
    const FULL = 2;
    expect([setting('journal_mode'), setting('synchronous')]).toEqual(['truncate', FULL]);
    expect(setting('trusted_schema')).toBe(0);
  });

  it('is no matter of what else is in its directory', async () => {
    mkdirSync(join(folder, 'mtu'));
    await put('/a');
    expect(await list('/')).toEqual(['/a']);
  });
});

describe('an embedded datastore that another process has locked', () => {
  let other: DatabaseSync;

  beforeEach(async () => {
    await put('/a');
    other = new DatabaseSync(file);
    other.exec('BEGIN IMMEDIATE');
  });
  afterEach(() => {
    other.close();
  });

  it('is read all the same', async () => {
    expect(await list('/')).toEqual(['/a']);
  });

  it('is written to as soon as the lock is gone, and time goes on meanwhile', async () => {
    const commit = put('/b');
    let isFree = false;
    setTimeout(() => {
      isFree = true;
      other.exec('ROLLBACK');
    }, 60);
    expect(await commit).toEqual({ committed: true, revision: '3' });
    expect(isFree).toBe(true);
  });

  it('is given up at the deadline, with the file and the time in the error', async () => {
    const startMs = performance.now();
    await expect(put('/b', 'x', ABSENT, deadline(120))).rejects.toMatchObject({
      kind: 'unavailable',
      message: `the test could not lock the embedded datastore ${file} within 120 ms`,
      details: `Another process is using it; if it does not end, "fuser ${file}" names it.`,
    });
    expect(performance.now() - startMs).toBeGreaterThanOrEqual(119);
    other.exec('ROLLBACK');
    expect(await list('/')).toEqual(['/a']);
  });

  it('is not even tried when the time is up', async () => {
    await expect(put('/b', 'x', ABSENT, deadline(0))).rejects.toMatchObject({ kind: 'unavailable' });
  });
});
