/** The root of a host that has nothing but shared libraries, for programs to be installed on and run there. */

import { copyFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { findLibrary, readElfFile } from '../../src/install/find-libraries.ts';

/** As most distributions have it: links that begin at the root, and names of libraries that are links to files. */
export function makeLibraryHost(root: string, program: string, without: readonly string[] = []): void {
  const elf = readElfFile(program);
  if (elf === undefined) throw new Error(`${program} is no executable`);
  for (const folder of ['usr/lib64', 'usr/lib', 'etc', 'proc'])
    mkdirSync(join(root, folder), { recursive: true });
  symlinkSync('/usr/lib64', join(root, 'lib64'));
  symlinkSync('/usr/lib', join(root, 'lib'));
  writeFileSync(join(root, 'etc/os-release'), 'ID=ubuntu\nID_LIKE="debian"\n');
  for (const name of elf.needed.filter((needed) => !without.includes(needed))) {
    const library = findLibrary('/', name, elf.machine);
    if (library === undefined) throw new Error(`this machine has no ${name}`);
    const file = basename(library.path);
    // AArch64 has its loader in /lib.
    const folder = name.startsWith('ld-') && elf.interpreter?.startsWith('/lib/') ? 'usr/lib' : 'usr/lib64';
    copyFileSync(library.path, join(root, folder, file));
    if (file !== name) symlinkSync(file, join(root, folder, name));
  }
}
