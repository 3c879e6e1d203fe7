/** What else the host has: kernel modules, and other programs that program its routes. */

import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
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

/**
 * Of the processes this one can see, in a container only with the host's process namespace, and only those that use the
 * same network: a cluster of containers on this host has others.
 */
export function findOtherAgents(): OtherAgents {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  const isHere = (is: (command: readonly string[]) => boolean) => (pid: string) =>
    is(readOrUndefined(`/proc/${pid}/cmdline`)?.split('\0') ?? []) && usesOurNetwork(pid);
  return { isFelixRunning: pids.some(isHere(isFelix)), isBirdRunning: pids.some(isHere(isBird)) };
}

/** Felix is a program of its own, or one of many in another. */
export function isFelix([program = '', ...args]: readonly string[]): boolean {
  const name = basename(program);
  const isArgument = (arg: string) => /^-{0,2}felix$/.test(arg);
  return name === 'calico-felix' || (['calico-node', 'calico'].includes(name) && args.some(isArgument));
}

/**
 * Files below /proc/PID/net are the network's, not the process's, and have its numbers. The namespace itself is only shown to those who may
 * trace the process. Where it cannot be told, it is assumed.
 */
function usesOurNetwork(pid: string): boolean {
  try {
    return statSync(`/proc/${pid}/net/dev`).ino === statSync('/proc/thread-self/net/dev').ino;
  } catch {
    return true;
  }
}

export function isBird([program = '']: readonly string[]): boolean {
  return ['bird', 'bird6'].includes(basename(program));
}

/** `6.1.0-18-amd64` */
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
