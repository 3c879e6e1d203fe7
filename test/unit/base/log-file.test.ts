import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openLogFile } from '../../../src/base/log-file.ts';

describe('openLogFile()', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'log-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('makes the folder and appends, also to what another process wrote', () => {
    const path = join(folder, 'a/b/cni.log');
    openLogFile(path)('one\n');
    const log = openLogFile(path);
    log('two\n');
    log('three\n');
    expect(readFileSync(path, 'utf8')).toBe('one\ntwo\nthree\n');
  });

  it.each([
    ['no path', undefined],
    ['a device', '/dev/null'],
    ['a folder', '/tmp'],
    ['a folder that cannot be', '/dev/null/x/cni.log'],
  ])('writes nothing and fails nothing with %s', (_name, path) => {
    expect(() => openLogFile(path)('line\n')).not.toThrow();
  });
});
