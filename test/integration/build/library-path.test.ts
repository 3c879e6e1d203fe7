import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addLibraryPath } from '../../../build/library-path.ts';
import { findLibrary, readElfFile } from '../../../src/install/find-libraries.ts';

describe('addLibraryPath()', () => {
  let folder: string;
  let node: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'library-path-'));
    node = join(folder, 'node');
    const file = readFileSync(process.execPath);
    addLibraryPath(file);
    writeFileSync(node, file, { mode: 0o755 });
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  /** Which file each library is taken from. */
  const librariesOf = (path: string) => execFileSync('ldd', [path], { encoding: 'utf8' });

  it('changes nothing where there is no such folder', () => {
    expect(execFileSync(node, ['-p', '6 * 7'], { encoding: 'utf8' })).toBe('42\n');
    expect(librariesOf(node)).not.toContain(folder);
  });

  it('has libraries beside the executable taken before those of the system', () => {
    mkdirSync(join(folder, 'calico-lib'));
    const library = findLibrary('/', 'libatomic.so.1', readElfFile(node)?.machine ?? 0);
    copyFileSync(library?.path ?? '', join(folder, 'calico-lib/libatomic.so.1'));
    expect(librariesOf(node)).toContain(join(folder, 'calico-lib/libatomic.so.1'));
    expect(execFileSync(node, ['-p', '6 * 7'], { encoding: 'utf8' })).toBe('42\n');
  });

  it('moves no byte, and leaves what is needed as it was', () => {
    const [before, after] = [process.execPath, node].map((path) => readElfFile(path));
    expect(after).toEqual(before);
    expect(readFileSync(node)).toHaveLength(readFileSync(process.execPath).length);
  });

  it('refuses a file that has a path already', () => {
    expect(() => addLibraryPath(readFileSync(node))).toThrow('has a library path already');
  });
});
