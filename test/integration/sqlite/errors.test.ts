/** Each way in which the embedded datastore can be unusable, and what the error says. */

import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openSqliteStore } from '../../../src/datastore/sqlite/sqlite-store.ts';
import { deadline, realClock } from '../../support/clock.ts';
import { run } from '../../support/run.ts';
import { whyNotRoot } from '../../support/tools.ts';

const NOBODY = 65534;
const PAGE_BYTES = 4096;

let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'embedded-'));
  file = join(folder, 'embedded.db');
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

const read = () => openSqliteStore(file, realClock).read([{ prefix: '/' }], deadline());
const write = () =>
  openSqliteStore(file, realClock).commit(
    { expect: [], write: [{ type: 'put', key: '/a', value: 'x'.repeat(3 * PAGE_BYTES) }] },
    deadline(),
  );

function sql(statement: string): void {
  using db = new DatabaseSync(file);
  db.exec(statement);
}

describe('a file that is no datastore of ours', () => {
  it.each<[string, () => unknown, string]>([
    [
      'not a database',
      () => writeFileSync(file, 'nodename=node1\n'.repeat(300), { mode: 0o600 }),
      'the embedded datastore FILE is not a database: file is not a database',
    ],
    [
      'the database of another program',
      () => sql('CREATE TABLE t (a)'),
      'FILE is the database of another program, not an embedded datastore',
    ],
    [
      'written by a later version',
      async () => {
        await write();
        sql('PRAGMA user_version = 7');
      },
      'the embedded datastore FILE has form 7, and this program knows form 1',
    ],
    [
      'a datastore without its table',
      async () => {
        await write();
        sql('DROP TABLE entry');
      },
      'the embedded datastore FILE is damaged: no such table: entry',
    ],
    [
      'a datastore without its revision',
      async () => {
        await write();
        sql('DELETE FROM revision');
      },
      'the embedded datastore FILE is damaged: its revision is missing',
    ],
    [
      'overwritten in the middle',
      async () => {
        await write();
        writeSync(openSync(file, 'r+'), Buffer.alloc(2 * PAGE_BYTES, 0xa5), 0, 2 * PAGE_BYTES, PAGE_BYTES);
      },
      'the embedded datastore FILE is damaged: database disk image is malformed',
    ],
  ])('is refused and left alone when it is %s', async (_what, make, message) => {
    await make();
    chmodSync(file, 0o600);
    const before = readFileSync(file);
    const error = { kind: 'corrupt', message: message.replace('FILE', file), details: expect.any(String) };
    await expect(read()).rejects.toMatchObject(error);
    await expect(write()).rejects.toMatchObject(error);
    expect(readFileSync(file).equals(before)).toBe(true);
  });
});

describe('a place that cannot be trusted or used', () => {
  it.each<[string, () => void, string, string]>([
    [
      'the file is a symbolic link',
      () => symlinkSync(join(folder, 'elsewhere.db'), file),
      'config',
      'cannot open the embedded datastore FILE: it is a symbolic link',
    ],
    [
      'the file is a directory',
      () => mkdirSync(file),
      'config',
      'cannot open the embedded datastore FILE: it is not a file',
    ],
    [
      'the directory is a file',
      () => {
        file = join(folder, 'notes', 'embedded.db');
        writeFileSync(join(folder, 'notes'), '');
      },
      'config',
      'cannot open the embedded datastore FILE: ENOTDIR',
    ],
    [
      'anyone may write to the file',
      () => {
        writeFileSync(file, '');
        chmodSync(file, 0o666);
      },
      'denied',
      'others may write to the file FILE of the embedded datastore: its mode is 666',
    ],
    [
      'anyone may write to the directory',
      () => {
        writeFileSync(file, '', { mode: 0o600 });
        chmodSync(folder, 0o1777);
      },
      'denied',
      'others may write to the directory FOLDER of the embedded datastore: its mode is 1777',
    ],
  ])('is refused when %s', async (_why, make, kind, message) => {
    make();
    const text = message.replace('FILE', file).replace('FOLDER', folder);
    const error = { kind, message: expect.stringContaining(text), details: expect.any(String) };
    await expect(read()).rejects.toMatchObject(error);
    await expect(write()).rejects.toMatchObject(error);
  });

  it('is refused for a new file too', async () => {
    chmodSync(folder, 0o770);
    await expect(write()).rejects.toMatchObject({ kind: 'denied', message: expect.stringContaining('770') });
  });
});

const why = whyNotRoot();

describe.skipIf(why !== undefined)(
  `a disk that fails${why === undefined ? '' : ` (skipped: ${why})`}`,
  () => {
    const ONE_COMMIT = join(import.meta.dirname, 'one-commit.ts');
    const commit = (bytes: number) => `${process.execPath} --no-warnings ${ONE_COMMIT} ${file} ${bytes}`;

    /** Runs the commands one by one on a file system of their own; what each that prints something says. */
    async function onTmpfs(options: string, ...commands: readonly string[]) {
      const mount = `mount -t tmpfs -o mode=700,${options} none ${folder}`;
      const { stdout, stderr } = await run(['unshare', '-m', 'sh', '-c', [mount, ...commands].join('; ')]);
      expect(stderr).toBe('');
      return stdout
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line));
    }

    it('is full: nothing of the commit is written, and what was there can be read', async () => {
      expect(await onTmpfs('size=160k', commit(10), commit(60_000), commit(200_000))).toEqual([
        { left: 10 },
        { left: 60_000 },
        {
          left: 60_000,
          error: {
            name: 'CalicoError',
            kind: 'unavailable',
            message: `cannot write to the embedded datastore ${file}: database or disk is full`,
            details: 'Nothing was written. Make room on its file system.',
          },
        },
      ]);
    });

    it('breaks off a commit: whether it is there is unknown until it is read', async () => {
      const limited = `prlimit --fsize=200000 ${commit(300_000)}`;
      expect(await onTmpfs('size=10m', commit(10), limited, commit(20))).toEqual([
        { left: 10 },
        {
          left: 10,
          error: {
            name: 'AmbiguousCommitError',
            kind: 'unavailable',
            message: expect.stringContaining('did not confirm a write'),
            details: `cannot read or write the embedded datastore ${file}: disk I/O error`,
          },
        },
        { left: 20 },
      ]);
    });

    it('is read-only: with a datastore and without', async () => {
      const answers = await onTmpfs('size=1m', commit(10), `mount -o remount,ro ${folder}`, commit(20));
      expect(answers[1]).toMatchObject({
        left: 10,
        error: {
          kind: 'denied',
          message: `cannot write to the embedded datastore ${file}: attempt to write a readonly database`,
        },
      });
      const [answer] = await onTmpfs('ro', commit(20));
      expect(answer).toMatchObject({
        left: 0,
        error: { kind: 'denied', message: expect.stringContaining(`datastore ${file}: EROFS`) },
      });
    });

    it('holds a file of another user', async () => {
      writeFileSync(file, '', { mode: 0o600 });
      chownSync(file, NOBODY, NOBODY);
      await expect(read()).rejects.toMatchObject({
        kind: 'denied',
        message: `others may write to the file ${file} of the embedded datastore: it belongs to user ${NOBODY}`,
      });
    });

    it('refuses a user who may not look', async () => {
      const { stdout } = await run([
        'setpriv',
        '--reuid',
        String(NOBODY),
        '--clear-groups',
        ...commit(1).split(' '),
      ]);
      expect(JSON.parse(stdout).error).toMatchObject({
        kind: 'denied',
        message: expect.stringContaining(`cannot open the embedded datastore ${file}: EACCES`),
      });
    });
  },
);
