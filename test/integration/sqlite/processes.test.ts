/** Many processes on one embedded datastore: as they run into each other, and as they are killed. */

import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openSqliteStore } from '../../../src/datastore/sqlite/sqlite-store.ts';
import { deadline, realClock } from '../../support/clock.ts';
import { output, run } from '../../support/run.ts';

const WRITER = join(import.meta.dirname, 'counting-writer.ts');
const HALF_COMMIT = join(import.meta.dirname, 'half-commit.ts');

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

function writerCommand(name: string, times: number): readonly string[] {
  return [process.execPath, '--no-warnings', WRITER, file, name, String(times)];
}

/** The commits that a writer was told of; a line that is not whole was not. */
function answersIn(stdout: string): readonly Answer[] {
  return [...stdout.matchAll(/^(\d+) (\d+)\n/gm)].map(([, count, revision]) => ({
    count: Number(count),
    revision: Number(revision),
  }));
}

async function count(name: string, times: number): Promise<readonly Answer[]> {
  return answersIn(await output(writerCommand(name, times)));
}

/** What the datastore holds: the revision of the whole, the counter, the last count that a writer noted. */
async function state() {
  const store = openSqliteStore(file, realClock);
  const { revision, entries } = await store.read([{ key: '/counter' }, { prefix: '/last/' }], deadline());
  await store.close();
  return {
    revision: Number(revision),
    counter: Number(entries[0]?.[0]?.value ?? 0),
    last: Math.max(0, ...(entries[1] ?? []).map(({ value }) => Number(value))),
    integrity: integrityOf(file),
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
});

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
    // At the least one of each writer.
    expect(answers.length).toBeGreaterThanOrEqual(24);
  });

  type Writer = ChildProcessByStdio<null, Readable, null>;

  function startWriter(name: string): Writer {
    const [program = '', ...args] = writerCommand(name, 1_000_000);
    return spawn(program, args, { stdio: ['ignore', 'pipe', 'ignore'] });
  }

  async function expectWhole(answers: readonly Answer[]): Promise<void> {
    const { revision, counter, last, integrity } = await state();
    expect(integrity).toBe('ok');
    expect(revision).toBe(counter + 1);
    expect(last).toBe(counter);
    expect(counter).toBeGreaterThanOrEqual(Math.max(...answers.map((answer) => answer.count)));
    expect(new Set(answers.map((answer) => answer.count)).size).toBe(answers.length);
  }
});

describe('a process that was killed with half a commit in the file', () => {
  it('has it taken back by the next one', async () => {
    await count('a', 3);
    const before = readFileSync(file);
    await run([process.execPath, '--no-warnings', HALF_COMMIT, file]);
    expect(readFileSync(file).equals(before)).toBe(false);
    expect(statSync(`${file}-journal`).size).toBeGreaterThan(0);
    expect(await state()).toEqual({ revision: 4, counter: 3, last: 3, integrity: 'ok' });
    expect(readFileSync(file).equals(before)).toBe(true);
  });
});

describe('a file that no process has open', () => {
  it('can be copied alone', async () => {
    await count('a', 3);
    const copy = join(folder, 'copy.db');
    copyFileSync(file, copy);
    file = copy;
    expect(await state()).toEqual({ revision: 4, counter: 3, last: 3, integrity: 'ok' });
  });
});
