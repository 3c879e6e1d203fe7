/** Folders that may be there already. */

import { existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Makes the folder and those above it that are missing; tells whether it made it. Throws what the kernel says.
 *
 * Not with `mkdirSync`'s own `recursive`: in Node.js 26 it never returns where a file system says ENOENT to a folder whose
 * parent is there, as procfs does.
 */
export function makeFolder(path: string, mode = 0o777): boolean {
  if (existsSync(path)) return false;
  const parent = dirname(path);
  if (parent !== path) makeFolder(parent, mode);
  try {
    mkdirSync(path, { mode });
    return true;
  } catch (error) {
    // Another process was faster.
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}
