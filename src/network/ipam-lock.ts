/**
 * The lock that keeps the ADDs of one node from competing for the same block. A courtesy: correctness rests
 * on the datastore's transactions, so whoever does not get the lock in time goes on without it.
 */

import { closeSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { errorText } from '../base/calico-error.ts';
import type { Clock, Deadline } from '../base/deadline.ts';
import { makeFolder } from '../base/make-folder.ts';
import { tryLockFile } from './native.ts';

const FIRST_PAUSE_MS = 1;
const LONGEST_PAUSE_MS = 10;

export type IpamLock =
  | { readonly isHeld: true; release(): void }
  | { readonly isHeld: false; readonly reason: string };

/**
 * Waits until the deadline for the exclusive lock on the file, which is made, with its directories, when it
 * is missing. Never throws. The lock also ends with the process.
 */
export async function acquireIpamLock(path: string, clock: Clock, deadline: Deadline): Promise<IpamLock> {
  try {
    makeFolder(dirname(path));
    return await lockWithin(openSync(path, 'a', 0o600), path, clock, deadline);
  } catch (error) {
    return { isHeld: false, reason: `cannot lock ${path}: ${errorText(error)}` };
  }
}

async function lockWithin(fd: number, path: string, clock: Clock, deadline: Deadline): Promise<IpamLock> {
  let pauseMs = FIRST_PAUSE_MS;
  try {
    while (!tryLockFile(fd)) {
      const remainingMs = deadline.remainingMs();
      if (remainingMs === 0) {
        closeSync(fd);
        return { isHeld: false, reason: `${path} was held by another process for ${deadline.budgetMs} ms` };
      }
      await clock.sleep(Math.min(pauseMs, remainingMs));
      pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
    }
    return { isHeld: true, release: once(() => closeSync(fd)) };
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/** Closing the only descriptor of the open file lets go of its lock. */
function once(run: () => void): () => void {
  let isDone = false;
  return () => {
    if (!isDone) run();
    isDone = true;
  };
}
