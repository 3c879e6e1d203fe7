import { linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findPlugin, isSameExecutable } from '../../../src/cni/delegate.ts';

let directory = '';

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'delegate-'));
});
afterAll(() => rmSync(directory, { recursive: true }));

describe('findPlugin()', () => {
  it('takes the first regular file of that name', () => {
    const [empty, taken, good, later] = ['empty', 'taken', 'good', 'later'].map((name) => {
      mkdirSync(join(directory, name));
      return join(directory, name);
    });
    mkdirSync(join(directory, 'taken', 'host-local'));
    writeFileSync(join(directory, 'later', 'host-local'), '');
    symlinkSync(join(directory, 'later', 'host-local'), join(directory, 'good', 'host-local'));
    const directories = [empty, taken, good, later].filter((path) => path !== undefined);
    expect(findPlugin('host-local', ['/nonexistent', '/proc/self/exe', ...directories])).toBe(
      join(directory, 'good', 'host-local'),
    );
  });

  it.each([
    ['', 'config', 'no plugin name provided'],
    ['../evil', 'config', 'invalid plugin name: ../evil'],
    ['/bin/sh', 'config', 'invalid plugin name: /bin/sh'],
    ['nosuch-ipam', 'delegate', 'failed to find plugin "nosuch-ipam" in path [/opt/a /opt/b]'],
  ])('refuses %j', (name, kind, message) => {
    expect(() => findPlugin(name, ['/opt/a', '/opt/b'])).toThrow(expect.objectContaining({ kind, message }));
  });
});

describe('isSameExecutable()', () => {
  it('sees through hard links and symbolic links, but not copies', () => {
    const self = join(directory, 'self');
    const paths = ['hard', 'soft', 'copy'].map((name) => join(directory, name));
    const [hard = '', soft = '', copy = ''] = paths;
    writeFileSync(self, 'x');
    writeFileSync(copy, 'x');
    linkSync(self, hard);
    symlinkSync(hard, soft);
    expect([hard, soft, copy, join(directory, 'absent')].map((path) => isSameExecutable(path, self))).toEqual(
      [true, true, false, false],
    );
  });

  it('compares with the program that runs', () => {
    expect(isSameExecutable(process.execPath)).toBe(true);
    expect(isSameExecutable('/bin/sh')).toBe(false);
  });
});
