/** The two transactions of the Store on an open database, each from its begin to its end without a pause. */

import type { DatabaseSync } from 'node:sqlite';
import { CalicoError } from '../../base/calico-error.ts';
import { ABSENT, type Revision } from '../../base/revision.ts';
import { AmbiguousCommitError } from '../ambiguous-commit.ts';
import type { Commit, Range, Snapshot, Transaction } from '../store.ts';
import { applyWrites, currentRevision, findEntries } from './entries.ts';
import { createSchema, hasSchema } from './schema.ts';
import { isIoError, storeError } from './sqlite-error.ts';

/** What a datastore that was never written to answers. */
export function emptySnapshot(ranges: readonly Range[]): Snapshot {
  return { revision: '1', entries: ranges.map(() => []) };
}

/** All ranges of one snapshot. */
export function readSnapshot(db: DatabaseSync, path: string, ranges: readonly Range[]): Snapshot {
  return inTransaction(db, 'BEGIN', () => {
    if (!hasSchema(db, path)) return emptySnapshot(ranges);
    const revision = currentRevision(db);
    requireRevision(path, ranges, revision);
    return { revision, entries: ranges.map((range) => findEntries(db, range)) };
  });
}

/** The file has no history. */
function requireRevision(path: string, ranges: readonly Range[], now: Revision): void {
  if (ranges.every((range) => 'key' in range || range.at === undefined || range.at === now)) return;
  throw new CalicoError('conflict', `the embedded datastore ${path} was written to while it was being read`, {
    details: 'Try again.',
  });
}

/** Compares and writes, alone among all processes. The first commit of all makes the tables as well. */
export function commitTransaction(db: DatabaseSync, path: string, { expect, write }: Transaction): Commit {
  return inTransaction(db, 'BEGIN IMMEDIATE', () => {
    if (!hasSchema(db, path)) createSchema(db);
    const current = new Map(expect.map(({ key }) => [key, findEntries(db, { key })[0]]));
    if (expect.some(({ key, revision }) => (current.get(key)?.revision ?? ABSENT) !== revision)) {
      return { committed: false, current };
    }
    const revision = applyWrites(db, write);
    keep(db, path);
    return { committed: true, revision };
  });
}

/** What the work does not keep is taken back; also when others who read must be waited for. */
function inTransaction<T>(db: DatabaseSync, begin: 'BEGIN' | 'BEGIN IMMEDIATE', work: () => T): T {
  db.exec(begin);
  try {
    return work();
  } finally {
    if (db.isTransaction) db.exec('ROLLBACK');
  }
}

function keep(db: DatabaseSync, path: string): void {
  try {
    db.exec('COMMIT');
  } catch (error) {
    if (isIoError(error)) throw new AmbiguousCommitError(storeError(path, error));
    throw error;
  }
}
