/** Which shared libraries a host lacks for the executable, and which package brings them. Pure. */

import { CalicoError } from '../base/calico-error.ts';
import type { Elf } from './elf.ts';

export interface MissingLibrary {
  readonly name: string;
  /** Versions of symbols that the host's library is too old for; empty when there is no library at all. */
  readonly versions: readonly string[];
}

/** `find`: what the host has by that name, for the same processor. */
export function missingLibraries(
  executable: Elf,
  find: (name: string) => Elf | undefined,
): readonly MissingLibrary[] {
  return executable.needed.flatMap((name): readonly MissingLibrary[] => {
    const library = find(name);
    if (library === undefined) return [{ name, versions: [] }];
    const needed = executable.versionsNeeded.get(name) ?? [];
    const versions = needed.filter((version) => !library.versionsDefined.includes(version));
    return versions.length === 0 ? [] : [{ name, versions }];
  });
}

/** By family of distributions, the package of each library; the first that fits is told. */
const PACKAGES: readonly (readonly [
  family: RegExp,
  packages: Readonly<Record<string, string>>,
  install: string,
])[] = [
  [
    /^(?:debian|ubuntu)$/,
    { 'libstdc++.so.6': 'libstdc++6', 'libatomic.so.1': 'libatomic1', 'libgcc_s.so.1': 'libgcc-s1' },
    'apt-get install',
  ],
  [
    /^(?:rhel|fedora|centos|rocky|almalinux|ol|amzn)$/,
    { 'libstdc++.so.6': 'libstdc++', 'libatomic.so.1': 'libatomic', 'libgcc_s.so.1': 'libgcc' },
    'dnf install',
  ],
  [
    /^(?:suse|opensuse.*|sles)$/,
    { 'libstdc++.so.6': 'libstdc++6', 'libatomic.so.1': 'libatomic1', 'libgcc_s.so.1': 'libgcc_s1' },
    'zypper install',
  ],
  [
    /^arch$/,
    { 'libstdc++.so.6': 'gcc-libs', 'libatomic.so.1': 'gcc-libs', 'libgcc_s.so.1': 'gcc-libs' },
    'pacman -S',
  ],
];

/** Distributions whose C library is musl: no program for glibc runs there. */
const MUSL = /^(?:alpine|postmarketos|chimera)$/;

/** `distributions`: as os-release(5) names the host's, the more special first. */
export function missingLibrariesError(
  missing: readonly MissingLibrary[],
  distributions: readonly string[],
): CalicoError {
  const what = missing.map(({ name, versions }) =>
    versions.length === 0 ? name : `${name} with ${versions.join(', ')}`,
  );
  return new CalicoError(
    'unsupported',
    `the host lacks shared libraries that the executable needs: ${what.join('; ')}`,
    { details: `${adviceOn(missing, distributions)}. Nothing has been written` },
  );
}

function adviceOn(missing: readonly MissingLibrary[], distributions: readonly string[]): string {
  if (distributions.some((name) => MUSL.test(name)))
    return 'this distribution has musl in place of glibc, and the executable needs glibc 2.28 or newer';
  const isOfGlibc = ({ name }: MissingLibrary) => /^(?:ld-linux|lib(?:c|m|dl|pthread)\.so)/.test(name);
  if (missing.some(isOfGlibc)) return 'the executable needs glibc 2.28 or newer';
  for (const name of distributions) {
    const family = PACKAGES.find(([pattern]) => pattern.test(name));
    if (family === undefined) continue;
    const [, packages, install] = family;
    const wanted = new Set(missing.map((library) => packages[library.name] ?? library.name));
    return `install them on the host: ${install} ${[...wanted].join(' ')}`;
  }
  return 'install them on the host; they belong to GCC: packages libstdc++6, libatomic1 and libgcc-s1, or similar';
}
