import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeFolder } from '../../../src/base/make-folder.ts';

describe('makeFolder()', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'folder-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('makes what is missing, with the mode, and says so', () => {
    expect(makeFolder(join(folder, 'a/b'), 0o700)).toBe(true);
    for (const made of ['a', 'a/b']) expect(statSync(join(folder, made)).mode & 0o777).toBe(0o700);
  });

  it('has nothing to do where there is one, or something else', () => {
    writeFileSync(join(folder, 'file'), '');
    expect(makeFolder(folder)).toBe(false);
    expect(makeFolder(join(folder, 'file'))).toBe(false);
    expect(makeFolder('/')).toBe(false);
  });

  it.each([
    ['where there can be none', '/proc/none/folder', 'ENOENT'],
    ['in a file', '/etc/hostname/folder', 'ENOTDIR'],
    ['of a name that is none', '/tmp/a\0b', 'ERR_INVALID_ARG_VALUE'],
  ])('says what the kernel says %s', (_where, path, code) => {
    expect(() => makeFolder(path)).toThrow(expect.objectContaining({ code }));
  });
});
