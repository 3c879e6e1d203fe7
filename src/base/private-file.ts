/** Files that are written all at once or not at all, for their owner alone unless it is said otherwise. */

import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { CalicoError, errorText } from './calico-error.ts';

const MODE = 0o600;

/** `unique`: tells this writer from others. Throws `config`, naming the path. */
export function writePrivateFile(path: string, text: string, unique: string, mode = MODE): void {
  const temporary = `${path}.${unique}.tmp`;
  try {
    const fd = openSync(temporary, 'wx', mode);
    try {
      writeFileSync(fd, text);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(temporary, path);
  } catch (cause) {
    rmSync(temporary, { force: true });
    throw new CalicoError('config', `cannot write ${path}: ${errorText(cause)}`, { cause });
  }
}

/** Throws `config`, naming the path. */
export function readTextFile(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new CalicoError('config', `cannot read ${path}: ${errorText(cause)}`, { cause });
  }
}
