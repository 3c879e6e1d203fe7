/** What else the host has: kernel modules, and other programs that program its routes. */

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';

/**
 * Whether the kernel can make devices of the kind. Of modules that are not loaded yet and whose list is not there to be
 * read, as in a container, it is assumed: making the device shows it.
 */
export function canMake(kind: 'vxlan' | 'ipip'): boolean {
  if (existsSync(`/sys/module/${kind}`)) return true;
  // A kernel without this file loads no modules.
  if (!existsSync('/proc/modules')) return false;
  const modules = readOrUndefined(`/lib/modules/${kernelRelease()}/modules.dep`);
  return modules === undefined || modules.includes(`/${kind}.ko`);
}

export interface OtherAgents {
  readonly isFelixRunning: boolean;
  readonly isBirdRunning: boolean;
}

/** Of the processes this one can see: in a container only with the host's process namespace. */
export function findOtherAgents(): OtherAgents {
  const commands = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => readOrUndefined(`/proc/${pid}/cmdline`)?.split('\0') ?? []);
  return { isFelixRunning: commands.some(isFelix), isBirdRunning: commands.some(isBird) };
}

/** Felix is a program of its own, or calico-node with a flag. */
export function isFelix([program = '', ...args]: readonly string[]): boolean {
  const name = basename(program);
  return name === 'calico-felix' || (name === 'calico-node' && args.some((arg) => /^-{0,2}felix$/.test(arg)));
}

export function isBird([program = '']: readonly string[]): boolean {
  return ['bird', 'bird6'].includes(basename(program));
}

function kernelRelease(): string {
  return readFileSync('/proc/sys/kernel/osrelease', 'utf8').trim();
}

/** `undefined` when it cannot be read: it may be gone since it was listed. */
function readOrUndefined(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
