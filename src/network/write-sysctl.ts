/** Writes one kernel switch. */

import { closeSync, constants, openSync, writeSync } from 'node:fs';

/**
 * Sets the switch, in the calling thread's present namespace for those of the network. The file is never
 * created. Throws what node:fs throws. `sysctl -w KEY=VALUE`
 *
 * @param key below /proc/sys, with slashes
 */
export function writeSysctl(key: string, value: string): void {
  const fd = openSync(`/proc/sys/${key}`, constants.O_WRONLY);
  try {
    const written = writeSync(fd, value);
    if (written !== value.length) throw new Error(`only ${written} of ${value.length} bytes were taken`);
  } finally {
    closeSync(fd);
  }
}
