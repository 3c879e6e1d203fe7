/** Entries of the embedded datastore, found and changed inside the transaction that is open. */

import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import type { Revision } from '../../base/revision.ts';
import type { Entry, Range, Write } from '../store.ts';
import { damagedError } from './sqlite-error.ts';

/** The revision of the whole. */
export function currentRevision(db: DatabaseSync): Revision {
  return String(revisionIn(db, 'SELECT value FROM revision'));
}

/** The entries of one range, in the byte order of their keys. */
export function findEntries(db: DatabaseSync, range: Range): readonly Entry[] {
  if ('key' in range) {
    return db.prepare('SELECT key, value, revision FROM entry WHERE key = ?').all(range.key).map(entryOf);
  }
  const value = range.keysOnly === true ? "''" : 'value';
  return db
    .prepare(
      `SELECT key, ${value} AS value, revision FROM entry
       WHERE key >= ? AND key > ? AND key < CAST(? AS TEXT) ORDER BY key LIMIT ?`,
    )
    .all(range.prefix, range.after ?? '', prefixEnd(range.prefix), range.limit || NO_LIMIT)
    .map(entryOf);
}

const NO_LIMIT = -1;

/** The first bytes after all keys that start with the prefix. No byte of UTF-8 is 0xff. */
function prefixEnd(prefix: string): Uint8Array {
  if (prefix === '') return Buffer.of(0xff);
  const end = Buffer.from(prefix);
  end.writeUInt8((end.at(-1) ?? 0) + 1, end.length - 1);
  return end;
}

/** Applies all writes at the next revision of the whole, and tells it. */
export function applyWrites(db: DatabaseSync, writes: readonly Write[]): Revision {
  if (writes.length === 0) return currentRevision(db);
  const revision = revisionIn(db, 'UPDATE revision SET value = value + 1 RETURNING value');
  const put = db.prepare(
    `INSERT INTO entry (key, value, revision) VALUES (?, ?, ?)
     ON CONFLICT (key) DO UPDATE SET value = excluded.value, revision = excluded.revision`,
  );
  const remove = db.prepare('DELETE FROM entry WHERE key = ?');
  for (const write of writes) {
    if (write.type === 'put') put.run(write.key, write.value, revision);
    else remove.run(write.key);
  }
  return String(revision);
}

type Row = Readonly<Record<string, SQLOutputValue>>;

/** The tables are strict, so these are texts and an integer. */
function entryOf({ key, value, revision }: Row): Entry {
  return { key: String(key), value: String(value), revision: String(revision) };
}

/** The value of the one row of the table `revision`, which the statement returns. */
function revisionIn(db: DatabaseSync, sql: string): SQLOutputValue {
  const value = db.prepare(sql).get()?.value;
  if (value === undefined) throw damagedError(db.location() ?? '', 'its revision is missing');
  return value;
}
