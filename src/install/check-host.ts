/** Whether the host can take the programs and run them; looked at before anything is written. */

import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { CalicoError } from '../base/calico-error.ts';
import type { Elf } from './elf.ts';
import { distributionsOf, findLibrary, readElfFile } from './find-libraries.ts';
import type { Places } from './install-settings.ts';
import { missingLibraries, missingLibrariesError } from './missing-libraries.ts';
import { whyNotWritable } from './observe-host.ts';
import { sourceFile } from './read-inputs.ts';
import { LIBRARY_FOLDER, type Library } from './wanted-state.ts';

/** Throws `config` when there is none, unless programs are there that are not to be replaced. */
export function writableBinFolders(
  { binFolders, makesFolders }: Places,
  replacesExecutables: boolean,
): readonly string[] {
  const reasons = binFolders.map((folder) => whyNotWritable(folder, makesFolders));
  const writable = binFolders.filter((_, index) => reasons[index] === undefined);
  const isComplete = (folder: string) =>
    ['calico', 'calico-ipam'].every((name) => existsSync(join(folder, name)));
  if (writable.length > 0 || (!replacesExecutables && binFolders.some(isComplete))) return writable;
  throw new CalicoError(
    'config',
    `cannot install the executables: ${binFolders.map((folder, index) => `${folder}: ${reasons[index]}`).join('; ')}`,
    {
      details:
        'one of these folders must be writable, unless UPDATE_CNI_BINARIES is false and both are there',
    },
  );
}

/** Throws `config`. */
export function requireNetFolder({ netFolder, makesFolders }: Places): void {
  const reason = whyNotWritable(netFolder, makesFolders);
  if (reason === undefined) return;
  throw new CalicoError('config', `cannot install the network configuration: ${netFolder}: ${reason}`);
}

/** Where the manifest in cni-conf mounts the root of the host. */
const MOUNTED_ROOT = '/host/root';

/** The root of the host's files; `undefined` where they cannot be seen. */
export function visibleHostRoot({ hostRoot }: Places): string | undefined {
  if (hostRoot !== undefined) return hostRoot;
  return existsSync(join(MOUNTED_ROOT, 'etc')) ? MOUNTED_ROOT : undefined;
}

/**
 * Shared libraries that the host lacks and that we can bring: ours, if they get along with what the host has. Throws
 * `unsupported` with the packages that bring them when not.
 */
export function librariesToBring(executable: string, hostRoot: string): readonly Library[] {
  const elf = readElfFile(executable);
  if (elf === undefined) throw new CalicoError('config', `${executable} is no executable of Linux`);
  const onHost = (name: string) => findLibrary(hostRoot, name, elf.machine)?.elf;
  const missing = missingLibraries(elf, onHost);
  const brought = missing.map(({ name }) => libraryOf(executable, name, elf.machine, onHost));
  const lacking = missing.filter((_, index) => brought[index] === undefined);
  if (lacking.length > 0) throw missingLibrariesError(lacking, distributionsOf(hostRoot));
  return brought.filter((library) => library !== undefined);
}

/** Those of the C library belong to the host's loader: no other will do. */
const OF_THE_HOST = /^(?:ld-linux|lib(?:c|m|dl|pthread)\.so)/;

function libraryOf(
  executable: string,
  name: string,
  machine: number,
  onHost: (name: string) => Elf | undefined,
): Library | undefined {
  if (OF_THE_HOST.test(name)) return undefined;
  const beside = join(dirname(executable), LIBRARY_FOLDER, name);
  const besideElf = readElfFile(beside);
  const own = besideElf === undefined ? findLibrary('/', name, machine) : { path: beside, elf: besideElf };
  if (own === undefined) return undefined;
  // What it needs of GCC comes along, or is on the host.
  const unmet = missingLibraries(own.elf, onHost).filter((library) => OF_THE_HOST.test(library.name));
  return unmet.length === 0 ? { ...sourceFile(own.path), name } : undefined;
}
