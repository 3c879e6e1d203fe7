/**
 * The embedded datastore: the Store on a SQLite file, for a node without etcd, with the keys and values that etcd
 * would hold. A read is one snapshot and a commit one transaction, among as many processes as there are. A commit
 * that was answered survives `kill -9` and, if the disk does what it says, a power cut.
 *
 * Journal: a write-ahead log with synchronous FULL, and a file that is seldom closed. A call is a process of its
 * own that reads twice and commits once; flushing the disk is nearly all it costs. Rollback journals flush five
 * times. The log needs two flushes, but the last process that closes the file copies the log into it: six. A
 * process that ends without closing leaves the log to the next one, which reads it as after a crash. So `close()`
 * closes only once the log is worth copying. Whoever copies the file by hand copies `…-wal` as well.
 *
 * SQLite itself never waits here, because that would stop the whole process: who finds a lock taken tries again
 * after a short sleep, until the deadline. Only a disk that hangs cannot be given up.
 */

import { type Stats, statSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { type Clock, checkDeadline, type Deadline } from '../../base/deadline.ts';
import type { Store } from '../store.ts';
import { openDatabase } from './open-database.ts';
import { findPlace, makePlace } from './place.ts';
import { busyError, isBusy, storeError } from './sqlite-error.ts';
import { commitTransaction, emptySnapshot, readSnapshot } from './transactions.ts';

const FIRST_PAUSE_MS = 1;
const LONGEST_PAUSE_MS = 10;
/** A log of this size is read in about a millisecond. */
const LOG_WORTH_COPYING_BYTES = 1024 * 1024;

/** Nothing is opened before the first call, and nothing made before the first commit. */
export function openSqliteStore(path: string, clock: Clock): Store {
  let open: { readonly db: DatabaseSync; readonly inode: number } | undefined;
  /** A file that was put in the place of the one we had is another datastore. */
  const databaseAt = ({ ino }: Stats): DatabaseSync => {
    if (open?.inode !== ino) {
      open?.db.close();
      open = undefined;
      open = { db: openDatabase(path), inode: ino };
    }
    return open.db;
  };
  return {
    read: (ranges, deadline) =>
      untilFree(path, clock, deadline, () => {
        const place = findPlace(path);
        return place === undefined ? emptySnapshot(ranges) : readSnapshot(databaseAt(place), path, ranges);
      }),
    commit: (transaction, deadline) =>
      untilFree(path, clock, deadline, () =>
        commitTransaction(databaseAt(makePlace(path)), path, transaction),
      ),
    close: async () => {
      if (logBytes(path) >= LOG_WORTH_COPYING_BYTES) open?.db.close();
      open = undefined;
    },
  };
}

/** Tries again while other processes are in the way. */
async function untilFree<T>(path: string, clock: Clock, deadline: Deadline, attempt: () => T): Promise<T> {
  checkDeadline(deadline, `opening the embedded datastore ${path}`);
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
    try {
      return attempt();
    } catch (error) {
      if (!isBusy(error)) throw storeError(path, error);
      if (deadline.remainingMs() === 0) throw busyError(path, deadline);
    }
    await clock.sleep(Math.min(pauseMs, deadline.remainingMs()));
  }
}

function logBytes(path: string): number {
  return statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0;
}
