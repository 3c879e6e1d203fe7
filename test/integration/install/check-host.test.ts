/** What is found out about a host before anything is written to it, on folders that look like one. */

import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { librariesToBring, requireNetFolder, writableBinFolders } from '../../../src/install/check-host.ts';
import {
  distributionsOf,
  findLibrary,
  readElfFile,
  resolveBelow,
} from '../../../src/install/find-libraries.ts';
import { makeLibraryHost } from '../../support/library-host.ts';

/** Dynamically linked, and with the same libraries as our executable. */
const NODE = process.execPath;

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'host-'));
});
afterEach(() => rmSync(root, { recursive: true }));

describe('readElfFile()', () => {
  it('tells what Node needs, by library and version', () => {
    expect(readElfFile(NODE)).toMatchObject({
      interpreter: expect.stringMatching(/^\/lib.*\/ld-linux/),
      needed: expect.arrayContaining(['libstdc++.so.6', 'libgcc_s.so.1', 'libc.so.6']),
    });
    expect(readElfFile(NODE)?.versionsNeeded.get('libc.so.6')).toContain('GLIBC_2.28');
  });

  it('tells what a library has', () => {
    const library = findLibrary('/', 'libstdc++.so.6', readElfFile(NODE)?.machine ?? 0);
    expect(library?.elf.versionsDefined).toContain('GLIBCXX_3.4.21');
    expect(library?.elf.interpreter).toBeUndefined();
  });

  it.each([
    ['a text', 'hello'],
    ['nothing', ''],
    ['the beginning of one', '\x7fELF\x02\x01\x01'],
    ['one whose offsets lead nowhere', `\x7fELF\x02\x01${'\xff'.repeat(200)}`],
  ])('gives nothing for %s', (_name, content) => {
    writeFileSync(join(root, 'x'), content, 'latin1');
    expect(readElfFile(join(root, 'x'))).toBeUndefined();
  });
});

describe('librariesToBring()', () => {
  it('is nothing for a host that has them all, also behind links that begin at its own root', () => {
    makeLibraryHost(root, NODE);
    expect(librariesToBring(NODE, root)).toEqual([]);
  });

  it('are those that the host lacks, under the name that programs ask for', () => {
    makeLibraryHost(root, NODE, ['libatomic.so.1', 'libgcc_s.so.1']);
    const brought = librariesToBring(NODE, root);
    expect(brought.map(({ name }) => name).toSorted()).toEqual(['libatomic.so.1', 'libgcc_s.so.1']);
    expect(readdirSync(root)).not.toContain('opt');
  });

  it('cannot be any of the C library: the error says so, and what is missing', () => {
    makeLibraryHost(root, NODE, ['libc.so.6']);
    expect(() => librariesToBring(NODE, root)).toThrow(/the host lacks shared libraries .*: libc\.so\.6$/);
  });

  it('are no help where the C library of the host is too old', () => {
    makeLibraryHost(root, NODE, ['libstdc++.so.6']);
    const machine = readElfFile(NODE)?.machine ?? 0;
    const [own, hosts] = ['/', root].map(
      (from) => (name: string) => findLibrary(from, name, machine)?.path ?? '',
    );
    // One without the versions of glibc, in its place.
    copyFileSync(own?.('libatomic.so.1') ?? '', hosts?.('libc.so.6') ?? '');
    expect(() => librariesToBring(NODE, root)).toThrow(/libstdc\+\+\.so\.6; libc\.so\.6 with GLIBC_/);
  });
});

describe('distributionsOf()', () => {
  it('are those that the host names, the more special first', () => {
    makeLibraryHost(root, NODE);
    expect(distributionsOf(root)).toEqual(['ubuntu', 'debian']);
  });
});

describe('resolveBelow()', () => {
  it.each([
    ['/etc/x', '/etc/x'],
    ['/abs/x', '/etc/x'],
    ['/up/x', '/etc/x'],
    ['/etc/../../../etc/./x', '/etc/x'],
  ])('never leaves the host: %s', (path, expected) => {
    mkdirSync(join(root, 'etc'));
    writeFileSync(join(root, 'etc/x'), '');
    symlinkSync('/etc', join(root, 'abs'));
    symlinkSync('../../../etc', join(root, 'up'));
    expect(resolveBelow(root, path)).toBe(join(root, expected));
  });

  it('gives nothing for what is not there, and for links in a circle', () => {
    symlinkSync('b', join(root, 'a'));
    symlinkSync('a', join(root, 'b'));
    expect([resolveBelow(root, '/a'), resolveBelow(root, '/none')]).toEqual([undefined, undefined]);
  });
});

describe('the folders', () => {
  const places = (makesFolders: boolean) => ({
    binFolders: [join(root, 'bin'), join(root, 'second')],
    netFolder: join(root, 'net'),
    netFolderOnHost: '/etc/cni/net.d',
    hostRoot: undefined,
    makesFolders,
  });

  it('are those that can be written to', () => {
    mkdirSync(join(root, 'second'));
    expect(writableBinFolders(places(false), true)).toEqual([join(root, 'second')]);
    expect(writableBinFolders(places(true), true)).toHaveLength(2);
  });

  it('that do not exist in a container are not mounted', () => {
    expect(() => writableBinFolders(places(false), true)).toThrow(
      /cannot install the executables: \S+bin: it does not exist: mount it from the host; \S+second:/,
    );
    expect(() => requireNetFolder(places(false))).toThrow(
      /cannot install the network configuration: \S+net: it/,
    );
  });

  it('that are files are none', () => {
    writeFileSync(join(root, 'net'), '');
    expect(() => requireNetFolder(places(true))).toThrow(/it is no folder|ENOTDIR|not write/);
  });
});
