/** Reads one kernel switch. */

import { readFileSync } from 'node:fs';

/**
 * Its value without the newline, in the calling thread's present namespace for those of the network; `undefined` when
 * there is no such switch. Throws what node:fs throws. `sysctl -n KEY`
 *
 * @param key below /proc/sys, with slashes
 */
export function readSysctl(key: string): string | undefined {
  try {
    return readFileSync(`/proc/sys/${key}`, 'utf8').trim();
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
