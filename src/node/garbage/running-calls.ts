/** Plugins that run now, as far as this process can see others: in a container only with the host's process namespace. */

import { readdirSync, readFileSync } from 'node:fs';

/** IDs of the containers that ADDs, DELs and CHECKs are about. */
export function containersOfRunningCalls(): ReadonlySet<string> {
  const ids = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => containerOf(environmentOf(pid)) ?? []);
  return new Set(ids);
}

/** From an environment as /proc has it. */
export function containerOf(environment: string): string | undefined {
  const name = 'CNI_CONTAINERID=';
  return environment
    .split('\0')
    .find((entry) => entry.startsWith(name))
    ?.slice(name.length);
}

/** Empty for a process that has ended since it was listed. */
function environmentOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8');
  } catch {
    return '';
  }
}
