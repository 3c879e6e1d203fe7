/** The root of a host that has nothing but shared libraries, for programs to be installed on and run there. */

import { copyFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { findLibrary, readElfFile } from '../../src/install/find-libraries.ts';

/**
 * The libraries are where this machine has them: its loader is among them, and knows no other place. As with most
 * distributions, /lib and /lib64 are links that begin at the root.
 */
export function makeLibraryHost(root: string, program: string, without: readonly string[] = []): void {
  const elf = readElfFile(program);
  if (elf?.interpreter === undefined) throw new Error(`${program} is no executable`);
  for (const folder of ['usr/lib64', 'usr/lib', 'etc', 'proc'])
    mkdirSync(join(root, folder), { recursive: true });
  symlinkSync('/usr/lib64', join(root, 'lib64'));
  symlinkSync('/usr/lib', join(root, 'lib'));
  writeFileSync(join(root, 'etc/os-release'), 'ID=ubuntu\nID_LIKE="debian"\n');
  for (const name of elf.needed.filter((needed) => !without.includes(needed))) {
    const library = findLibrary('/', name, elf.machine);
    if (library === undefined) throw new Error(`this machine has no ${name}`);
    const path = join(root, library.path.replace(/^\/(?=lib)/, '/usr/'));
    mkdirSync(dirname(path), { recursive: true });
    copyFileSync(library.path, path);
    if (basename(path) !== name) symlinkSync(basename(path), join(dirname(path), name));
    if (basename(elf.interpreter) === name) copyFileSync(library.path, join(root, 'usr', elf.interpreter));
  }
}
