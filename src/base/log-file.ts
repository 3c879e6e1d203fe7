/** The log file of the configuration, beside stderr. */

import { appendFileSync, mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Appends whole lines, which the kernel keeps apart also when many processes write at once. A log that cannot be
 * written (full disk, read-only directory) never fails a call.
 */
export function openLogFile(path: string | undefined): (line: string) => void {
  if (path === undefined) return () => undefined;
  let usable: boolean | undefined;
  return (line) => {
    try {
      usable ??= prepare(path);
      if (usable) appendFileSync(path, line, { mode: 0o644 });
    } catch {
      usable = false;
    }
  };
}

/**
 * Once per process: makes the folder, and tells whether the file can be one. A device or a pipe is no log file:
 * /dev/stdout would mix log lines into the result.
 */
function prepare(path: string): boolean {
  mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? true;
}
