import { describe, expect, it } from 'vitest';
import type { Elf } from '../../../src/install/elf.ts';
import { missingLibraries, missingLibrariesError } from '../../../src/install/missing-libraries.ts';

const NOTHING: Elf = {
  machine: 62,
  interpreter: undefined,
  needed: [],
  versionsNeeded: new Map(),
  versionsDefined: [],
};
const PROGRAM: Elf = {
  ...NOTHING,
  needed: ['libstdc++.so.6', 'libatomic.so.1', 'libc.so.6'],
  versionsNeeded: new Map([
    ['libstdc++.so.6', ['GLIBCXX_3.4', 'GLIBCXX_3.4.21']],
    ['libc.so.6', ['GLIBC_2.28']],
  ]),
};

const host = (libraries: Readonly<Record<string, readonly string[]>>) => (name: string) => {
  const versionsDefined = libraries[name];
  return versionsDefined && { ...NOTHING, versionsDefined };
};

describe('missingLibraries()', () => {
  it('finds nothing wrong with a host that has all', () => {
    const all = {
      'libstdc++.so.6': ['GLIBCXX_3.4', 'GLIBCXX_3.4.21', 'GLIBCXX_3.4.30'],
      'libatomic.so.1': [],
      'libc.so.6': ['GLIBC_2.28'],
    };
    expect(missingLibraries(PROGRAM, host(all))).toEqual([]);
  });

  it('finds those that are absent, and those that are too old', () => {
    const some = { 'libstdc++.so.6': ['GLIBCXX_3.4'], 'libc.so.6': ['GLIBC_2.28'] };
    expect(missingLibraries(PROGRAM, host(some))).toEqual([
      { name: 'libstdc++.so.6', versions: ['GLIBCXX_3.4.21'] },
      { name: 'libatomic.so.1', versions: [] },
    ]);
  });
});

describe('missingLibrariesError()', () => {
  const missing = [
    { name: 'libstdc++.so.6', versions: [] },
    { name: 'libatomic.so.1', versions: [] },
  ];

  it.each([
    [['debian'], 'apt-get install libstdc++6 libatomic1'],
    [['ubuntu', 'debian'], 'apt-get install libstdc++6 libatomic1'],
    [['rocky', 'rhel', 'centos', 'fedora'], 'dnf install libstdc++ libatomic'],
    [['opensuse-leap', 'suse', 'opensuse'], 'zypper install libstdc++6 libatomic1'],
    [['manjaro', 'arch'], 'pacman -S gcc-libs'],
    [['flatcar', 'coreos'], 'packages libstdc++6, libatomic1'],
    [['alpine'], 'musl'],
  ])('names the packages of %j', (distributions, expected) => {
    const { message, details } = missingLibrariesError(missing, distributions);
    expect(message).toBe(
      'the host lacks shared libraries that the executable needs: libstdc++.so.6; libatomic.so.1',
    );
    expect(details).toContain(expected);
  });

  it('says of an old C library that no package helps', () => {
    const old = [{ name: 'libc.so.6', versions: ['GLIBC_2.28'] }];
    const { message, details } = missingLibrariesError(old, ['centos']);
    expect(message).toContain('libc.so.6 with GLIBC_2.28');
    expect(details).toContain('glibc 2.28 or newer');
  });
});
