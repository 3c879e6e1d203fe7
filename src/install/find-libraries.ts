/** Shared libraries below the root of a host, where its loader would look for them. Reads, and changes nothing. */

import { closeSync, lstatSync, openSync, readFileSync, readlinkSync, readSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Elf, readElf } from './elf.ts';
import { namesIn } from './observe-host.ts';

export interface FoundLibrary {
  /** As this process sees it. */
  readonly path: string;
  readonly elf: Elf;
}

/** What of ELF a file says; `undefined` when it is none, or cannot be read. */
export function readElfFile(path: string): Elf | undefined {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch {
    return undefined;
  }
  try {
    return readElf((offset, length) => {
      const bytes = Buffer.alloc(length);
      return bytes.subarray(0, readSync(fd, bytes, 0, length, offset));
    });
  } catch {
    return undefined;
  } finally {
    closeSync(fd);
  }
}

/** The first file of that name that is for the processor. */
export function findLibrary(root: string, name: string, machine: number): FoundLibrary | undefined {
  for (const folder of libraryFolders(root, machine)) {
    const path = resolveBelow(root, join(folder, name));
    const elf = path === undefined ? undefined : readElfFile(path);
    if (path !== undefined && elf?.machine === machine) return { path, elf };
  }
  return undefined;
}

const TRIPLES: Readonly<Record<number, string>> = { 62: 'x86_64-linux-gnu', 183: 'aarch64-linux-gnu' };

/** Absolute, as the host names them: those of its configuration, then those that every loader knows. */
function libraryFolders(root: string, machine: number): readonly string[] {
  const triple = TRIPLES[machine];
  const known = ['/lib64', '/usr/lib64', '/lib', '/usr/lib'];
  const own = triple === undefined ? [] : [`/lib/${triple}`, `/usr/lib/${triple}`];
  return [...new Set([...configuredFolders(root), ...own, ...known])];
}

/** ld.so.conf(5), and what it nearly always includes. */
function configuredFolders(root: string): readonly string[] {
  const included = namesIn(join(root, 'etc/ld.so.conf.d')).filter((name) => name.endsWith('.conf'));
  const files = ['/etc/ld.so.conf', ...included.toSorted().map((name) => `/etc/ld.so.conf.d/${name}`)];
  return files.flatMap((file) =>
    textOf(root, file)
      .split('\n')
      .map((line) => line.replace(/#.*/, '').trim())
      .filter((line) => line.startsWith('/')),
  );
}

/** `ID` and `ID_LIKE` of os-release(5), the more special first. */
export function distributionsOf(root: string): readonly string[] {
  const text = textOf(root, '/etc/os-release') || textOf(root, '/usr/lib/os-release');
  const value = (name: string) => new RegExp(`^${name}=["']?([^"'\n]*)`, 'm').exec(text)?.[1] ?? '';
  return `${value('ID')} ${value('ID_LIKE')}`.split(' ').filter((name) => name !== '');
}

function textOf(root: string, path: string): string {
  const resolved = resolveBelow(root, path);
  try {
    return resolved === undefined ? '' : readFileSync(resolved, 'utf8');
  } catch {
    return '';
  }
}

/** As many links as the kernel follows. */
const MAX_LINKS = 40;

/**
 * The file that the host means by an absolute path: links that are absolute begin at the root of the host, not at ours.
 * `undefined` where there is none.
 */
export function resolveBelow(root: string, path: string): string | undefined {
  let names = path.split('/').filter((name) => name !== '');
  let at = '/';
  for (let links = 0; links < MAX_LINKS; ) {
    const [name, ...rest] = names;
    if (name === undefined) return join(root, at);
    names = rest;
    if (name === '.') continue;
    if (name === '..') {
      at = dirname(at);
      continue;
    }
    const here = join(at, name);
    const target = targetOf(join(root, here));
    if (target === undefined) return undefined;
    if (target === '') {
      at = here;
      continue;
    }
    links++;
    if (target.startsWith('/')) at = '/';
    names = [...target.split('/').filter((part) => part !== ''), ...names];
  }
  return undefined;
}

/** Of a link; empty for anything else, `undefined` where there is nothing. */
function targetOf(path: string): string | undefined {
  try {
    return lstatSync(path).isSymbolicLink() ? readlinkSync(path) : '';
  } catch {
    return undefined;
  }
}
