/**
 * The embedded datastore: the Store on a SQLite file, for a node without etcd, with the keys and values that etcd
 * would hold. A read is one snapshot and a commit one transaction, among as many processes as there are. A commit
 * that was answered survives `kill -9` and, if the disk does what it says, a power cut.
 *
 * Why a rollback journal: a call is a process of its own, which opens the file, reads twice, commits once and closes
 * it, and flushing the disk is nearly all of what that costs. Median in milliseconds, by how long one flush takes:
 *
 *     flush │ journal, TRUNCATE │ journal, PERSIST │ journal, DELETE + EXTRA │ log (WAL) │ log never closed
 *      0.07 │        1.8        │       1.7        │           1.9           │    2.1    │       1.6
 *      1    │       10.6        │      10.7        │          11.2           │    9.3    │       4.8
 *      5    │       29.0        │      28.3        │          28.9           │   28.6    │      12.4
 *
 * The journals flush five times. A write-ahead log flushes twice, but the last process to close the file copies the
 * log into it, with four flushes more. Only a file that is never closed would be faster; then most of the data would
 * lie in the log beside the file, and a backup of the file alone would bring back an old state, with addresses that
 * pods use. With TRUNCATE the file holds everything whenever no call is running.
 *
 * SQLite itself never waits here, because that would stop the whole process: who finds a lock taken tries again
 * after a short sleep, until the deadline. Only a disk that hangs cannot be given up.
 */

import type { Stats } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { type Clock, checkDeadline, type Deadline } from '../../base/deadline.ts';
import type { Store } from '../store.ts';
import { openDatabase } from './open-database.ts';
import { findPlace, makePlace } from './place.ts';
import { busyError, isBusy, storeError } from './sqlite-error.ts';
import { commitTransaction, emptySnapshot, readSnapshot } from './transactions.ts';

const FIRST_PAUSE_MS = 1;
const LONGEST_PAUSE_MS = 10;

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
      open?.db.close();
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
