/** The files by which the agent tells the plugins of its host what they need to know: node name and MTU. */

import { chmodSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { makeFolder } from '../../base/make-folder.ts';
import { writePrivateFile } from '../../base/private-file.ts';

const MODE = 0o644;

/**
 * Exactly the text, without a newline, as Calico writes them; nothing when the file holds it already. A reader sees the
 * old text or the new one. `unique` tells this writer from others. Throws `config`, naming the path.
 */
export function writeHostFile(path: string, text: string, unique: string): void {
  if (tryRead(path) === text) return;
  makeFolder(dirname(path), 0o755);
  writePrivateFile(path, text, unique, MODE);
  // Whatever the umask of this process is, every plugin must be able to read it.
  chmodSync(path, MODE);
}

function tryRead(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
