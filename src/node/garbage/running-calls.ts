/** Plugins that run now, as far as this process can see others: in a container only with the host's process namespace. */

import { readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';

/**
 * Whether a plugin may be called for the container at this moment. Of another process that is ours and whose environment
 * cannot be read, as without CAP_SYS_PTRACE, it may be any.
 */
export function findRunningCalls(): (containerId: string) => boolean {
  const calls = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => isPlugin(readOrEmpty(`/proc/${pid}/cmdline`).split('\0')))
    .map((pid) => containerOf(readOrEmpty(`/proc/${pid}/environ`)));
  return (containerId) => calls.some((called) => called === undefined || called === containerId);
}

/** Plugins are called without arguments, and commands with some. */
export function isPlugin([program = '', ...args]: readonly string[]): boolean {
  return ['calico', 'calico-ipam'].includes(basename(program)) && args.every((arg) => arg === '');
}

/** From an environment as /proc has it. */
export function containerOf(environment: string): string | undefined {
  const name = 'CNI_CONTAINERID=';
  return environment
    .split('\0')
    .find((entry) => entry.startsWith(name))
    ?.slice(name.length);
}

/** Empty for a process that has ended since it was listed, too. */
function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
