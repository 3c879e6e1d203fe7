/** Only one installer at a time works on a host: the folder of network configurations is locked meanwhile. */

import { closeSync, existsSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { CalicoError } from '../base/calico-error.ts';
import { type Clock, checkInterruption, type Deadline } from '../base/deadline.ts';
import { tryLockFile } from '../network/native.ts';

const PAUSE_MS = 100;

/** A lock on the folder itself (flock), so that no file stays behind. Throws `unavailable` when the deadline has passed. */
export async function lockFolder(folder: string, clock: Clock, deadline: Deadline): Promise<Disposable> {
  const fd = openSync(existingFolder(folder), 'r');
  try {
    while (!tryLockFile(fd)) {
      checkInterruption(deadline);
      if (deadline.remainingMs() === 0)
        throw new CalicoError('unavailable', `another installer has been at work on ${folder} for too long`);
      await clock.sleep(PAUSE_MS);
    }
  } catch (error) {
    closeSync(fd);
    throw error;
  }
  return { [Symbol.dispose]: () => closeSync(fd) };
}

function existingFolder(folder: string): string {
  return existsSync(folder) || folder === dirname(folder) ? folder : existingFolder(dirname(folder));
}
