/** Many processes on one embedded datastore: as they run into each other, and as they are killed. */

import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, rmSync, statSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openSqliteStore } from '../../../src/datastore/sqlite/sqlite-store.ts';
import { deadline, realClock } from '../../support/clock.ts';
import { output } from '../../support/run.ts';

const WRITER = join(import.meta.dirname, 'counting-writer.ts');

let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'embedded-'));
  file = join(folder, 'embedded.db');
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

interface Answer {
  readonly count: number;
  readonly revision: number;
}

function writerCommand(name: string, times: number, bytes = 0): readonly string[] {
  return [process.execPath, '--no-warnings', WRITER, file, name, String(times), String(bytes)];
}

/** The commits that a writer was told of; a line that is not whole was not. */
function answersIn(stdout: string): readonly Answer[] {
  return [...stdout.matchAll(/^(\d+) (\d+)\n/gm)].map(([, count, revision]) => ({
    count: Number(count),
    revision: Number(revision),
  }));
}

async function count(name: string, times: number, bytes?: number): Promise<readonly Answer[]> {
  return answersIn(await output(writerCommand(name, times, bytes)));
}

/**
 * What a copy of the files holds, of the log only the bytes before the cut: the counter, the last count each writer noted, the revision of the whole. The
 * files themselves are left alone: an open connection of ours would spare the next writer the work after a crash.
 */
async function stateOfCopy(cut?: number) {
  const copy = join(mkdtempSync(join(folder, 'copy-')), 'embedded.db');
  copyFileSync(file, copy);
  if (logBytes() > 0) copyFileSync(`${file}-wal`, `${copy}-wal`);
  if (cut !== undefined) truncateSync(`${copy}-wal`, cut);
  const store = openSqliteStore(copy, realClock);
  const { revision, entries } = await store.read([{ key: '/counter' }, { prefix: '/last/' }], deadline());
  await store.close();
  return {
    revision: Number(revision),
    counter: Number(entries[0]?.[0]?.value ?? 0),
    last: Math.max(0, ...(entries[1] ?? []).map(({ value }) => Number.parseInt(value, 10))),
    integrity: integrityOf(copy),
  };
}

function integrityOf(path: string): unknown {
  using db = new DatabaseSync(path);
  return db.prepare('PRAGMA integrity_check').get()?.integrity_check;
}

/** Every count was given once, and later counts have later revisions. */
function expectOneHistory(answers: readonly Answer[], commits: number): void {
  const inOrder = answers.toSorted((a, b) => a.count - b.count);
  expect(inOrder.map((answer) => answer.count)).toEqual(Array.from({ length: commits }, (_, i) => i + 1));
  expect(inOrder.map((answer) => answer.revision)).toEqual(inOrder.map((answer) => answer.count + 1));
}

describe('processes that commit at once', () => {
  it('lose nothing, though none of them found a file', async () => {
    const names = ['a', 'b', 'c', 'd', 'e', 'f'];
    const answers = await Promise.all(names.map((name) => count(name, 30)));
    expectOneHistory(answers.flat(), 180);
  });

  it('lose nothing when each lives for one commit only', async () => {
    const lane = async (name: string) => {
      const answers: Answer[] = [];
      for (let i = 0; i < 10; i++) answers.push(...(await count(name, 1)));
      return answers;
    };
    const answers = await Promise.all(['a', 'b', 'c', 'd'].map(lane));
    expectOneHistory(answers.flat(), 40);
  });

  it('copy the log into the file now and then, though each leaves it to the next', async () => {
    for (let process = 0; process < 8; process++) {
      await count('a', 1, 400_000);
      expect(logBytes()).toBeLessThan(2_000_000);
    }
    expect(await stateOfCopy()).toMatchObject({ counter: 8, last: 8, integrity: 'ok' });
  });
});

function logBytes(): number {
  return statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0;
}

describe('kill -9', () => {
  it('leaves the datastore whole: what was answered is there, what is there came by whole commits', async () => {
    const answers: Answer[] = [];
    for (const delayMs of [0, 3, 7, 12, 18, 25, 40, 60]) {
      const writers = ['a', 'b', 'c'].map(startWriter);
      await Promise.all(writers.map((writer) => once(writer.stdout, 'readable')));
      const seen = writers.map((writer) => text(writer.stdout));
      await sleep(delayMs);
      for (const writer of writers) writer.kill('SIGKILL');
      for (const stdout of await Promise.all(seen)) answers.push(...answersIn(stdout));
      await expectWhole(answers);
    }
    expect(answers.length).toBeGreaterThan(24);
  });

  type Writer = ChildProcessByStdio<null, Readable, null>;

  function startWriter(name: string): Writer {
    const [program = '', ...args] = writerCommand(name, 1_000_000);
    return spawn(program, args, { stdio: ['ignore', 'pipe', 'ignore'] });
  }

  async function expectWhole(answers: readonly Answer[]): Promise<void> {
    const { revision, counter, last, integrity } = await stateOfCopy();
    expect(integrity).toBe('ok');
    expect(revision).toBe(counter + 1);
    expect(last).toBe(counter);
    expect(counter).toBeGreaterThanOrEqual(Math.max(...answers.map((answer) => answer.count)));
    expect(new Set(answers.map((answer) => answer.count)).size).toBe(answers.length);
  }
});

describe('a log whose end never reached the disk', () => {
  it('holds whole commits only, and all before the cut', async () => {
    await count('a', 8);
    const counters: number[] = [];
    for (let cut = logBytes(); cut >= 0; cut -= 1000) {
      const { revision, counter, last, integrity } = await stateOfCopy(cut);
      expect({ revision, last, integrity }).toEqual({
        revision: counter + 1,
        last: counter,
        integrity: 'ok',
      });
      counters.push(counter);
    }
    expect([...new Set(counters)]).toEqual([8, 7, 6, 5, 4, 3, 2, 1, 0]);
  });
});
