import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { zstdDecompressSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type LogFile, openLogFile } from '../../../src/base/log-file.ts';

const NOW_MS = Date.parse('2026-11-21T10:26:38.709Z');
const DAY_MS = 86_400_000;

describe('openLogFile()', () => {
  let folder: string;
  let path: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'log-'));
    path = join(folder, 'cni.log');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const ENDLESS = { maxBytes: 0, maxAgeDays: 0, maxCount: 0 };
  const open = (
    changes: Partial<LogFile> = {},
    port: { nowMs?: () => number; tryLock?: () => boolean } = {},
  ) => openLogFile({ path, ...ENDLESS, ...changes }, { nowMs: () => NOW_MS, tryLock: () => true, ...port });
  const files = () => readdirSync(folder).toSorted();
  /** A file that was put aside so many days ago. */
  const aside = (daysAgo: number, suffix = '.zst') => {
    const stamp = new Date(NOW_MS - daysAgo * DAY_MS).toISOString().replace(/:/g, '-').replace('Z', '');
    const name = `cni-${stamp}-size.log${suffix}`;
    writeFileSync(join(folder, name), `of ${daysAgo} days ago\n`);
    const then = new Date(NOW_MS - daysAgo * DAY_MS);
    utimesSync(join(folder, name), then, then);
    return name;
  };

  it('makes the folder and appends, also to what another process wrote', () => {
    const deep = join(folder, 'a/b/cni.log');
    open({ path: deep })('one\n');
    const log = open({ path: deep });
    log('two\n');
    log('three\n');
    expect(readFileSync(deep, 'utf8')).toBe('one\ntwo\nthree\n');
    expect(statSync(deep).mode & 0o777).toBe(0o644);
    expect(statSync(join(folder, 'a')).mode & 0o777).toBe(0o755);
  });

  it.each([
    ['no path', undefined],
    ['a device', '/dev/null'],
    ['a folder', '/tmp'],
    ['a folder that cannot be', '/dev/null/x/cni.log'],
  ])('writes nothing and fails nothing with %s', (_name, bad) => {
    expect(() => open({ path: bad, maxBytes: 1 })('line\n')).not.toThrow();
  });

  it('puts a file aside that has become large, and goes on in a new one', () => {
    const log = open({ maxBytes: 10 });
    for (const line of ['1234\n', '5678\n', 'next\n']) log(line);
    expect(files()).toEqual(['cni-2026-11-21T10-26-38.709-size.log', 'cni.log']);
    expect(readFileSync(join(folder, files()[0] ?? ''), 'utf8')).toBe('1234\n5678\n');
    expect(readFileSync(path, 'utf8')).toBe('next\n');
  });

  it('never takes the name of a file that was put aside at the same moment', () => {
    const log = open({ maxBytes: 1 });
    for (const line of ['a\n', 'b\n', 'c\n']) log(line);
    expect(files().map((name) => readFileSync(join(folder, name), 'utf8'))).toEqual(['a\n', 'b\n', 'c\n']);
  });

  it('leaves that to the process that has the lock', () => {
    const log = open({ maxBytes: 1 }, { tryLock: () => false });
    for (const line of ['a\n', 'b\n']) log(line);
    expect(files()).toEqual(['cni.log']);
    expect(readFileSync(path, 'utf8')).toBe('a\nb\n');
  });

  it('leaves the new file alone when another process was faster', () => {
    const tryLock = () => {
      rmSync(path);
      writeFileSync(path, 'of another process\n');
      return true;
    };
    open({ maxBytes: 1 }, { tryLock })('a\n');
    expect(files()).toEqual(['cni.log']);
    expect(readFileSync(path, 'utf8')).toBe('of another process\n');
  });

  it('puts the file of a symbolic link aside, and not the link', () => {
    mkdirSync(join(folder, 'real'));
    symlinkSync(join(folder, 'real/cni.log'), path);
    writeFileSync(path, '');
    const log = open({ maxBytes: 1 });
    log('a\n');
    log('b\n');
    expect(files()).toEqual(['cni.log', 'real']);
    expect(readdirSync(join(folder, 'real'))).toHaveLength(2);
  });

  it('compresses the oldest that nobody can be writing to any more', () => {
    const [older, newer] = [aside(2, ''), aside(1, '')];
    writeFileSync(join(folder, older), 'x\n'.repeat(1_500_000));
    utimesSync(join(folder, older), new Date(NOW_MS - DAY_MS), new Date(NOW_MS - DAY_MS));
    open({ maxBytes: 1 })('a\n');
    expect(files()).toEqual([`${older}.zst`, newer, 'cni-2026-11-21T10-26-38.709-size.log']);
    const compressed = join(folder, `${older}.zst`);
    expect(zstdDecompressSync(readFileSync(compressed)).toString()).toBe('x\n'.repeat(1_500_000));
    expect(statSync(compressed).mode & 0o777).toBe(0o644);
  });

  it('begins anew what a process left unfinished when it was killed', () => {
    const name = aside(1, '');
    writeFileSync(join(folder, `${name}.zst.tmp`), 'rubbish that is longer than what comes out of it');
    open({ maxBytes: 1 })('a\n');
    expect(zstdDecompressSync(readFileSync(join(folder, `${name}.zst`))).toString()).toBe('of 1 days ago\n');
    expect(files().filter((file) => file.endsWith('.tmp'))).toEqual([]);
  });

  it('removes what is too old', () => {
    const kept = aside(6);
    aside(8);
    writeFileSync(join(folder, `${aside(9, '')}.zst.tmp`), 'left by a process that was killed');
    writeFileSync(join(folder, 'cni-notes.log'), 'of the operator');
    open({ maxBytes: 1, maxAgeDays: 7 })('a\n');
    expect(files()).toEqual([kept, 'cni-2026-11-21T10-26-38.709-size.log', 'cni-notes.log']);
  });

  it('removes the oldest of too many', () => {
    const all = [5, 4, 3, 2].map((days) => aside(days));
    open({ maxBytes: 1, maxCount: 3 })('a\n');
    expect(files()).toEqual([...all.slice(2), 'cni-2026-11-21T10-26-38.709-size.log']);
  });

  it('keeps all of them without limits', () => {
    for (const days of [500, 400]) aside(days);
    open({ maxBytes: 1 })('a\n');
    expect(files()).toHaveLength(3);
  });

  it('looks at no other file until one is large', () => {
    aside(500);
    chmodSync(folder, 0o700);
    open({ maxBytes: 10, maxAgeDays: 1, maxCount: 1 })('a\n');
    expect(files()).toHaveLength(2);
  });
});
