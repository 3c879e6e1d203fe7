/**
 * How the embedded datastore lies in its file: one row per key, and the revision of the whole. `application_id`
 * and `user_version` of the file say whose it is and in which form, so that a later version can convert it.
 *
 *     entry     key (UTF-8, in byte order) │ value │ revision of its last change
 *     revision  value: as many commits as there were, and 1
 */

import type { DatabaseSync } from 'node:sqlite';
import { CalicoError } from '../../base/calico-error.ts';

/** `cali` in ASCII. */
const APPLICATION_ID = 0x63616c69;
const VERSION = 1;

const CREATE = `
  CREATE TABLE entry (key TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL, revision INTEGER NOT NULL) STRICT;
  CREATE TABLE revision (value INTEGER NOT NULL) STRICT;
  INSERT INTO revision (value) VALUES (1);
  PRAGMA application_id = ${APPLICATION_ID};
  PRAGMA user_version = ${VERSION};
`;

/** Makes the tables, inside the transaction that is open. */
export function createSchema(db: DatabaseSync): void {
  db.exec(CREATE);
}

/** Whether the tables are there; `false` for a file that is still empty. Throws `corrupt` for any other file. */
export function hasSchema(db: DatabaseSync, path: string): boolean {
  const application = numberOf(db, 'PRAGMA application_id');
  const version = numberOf(db, 'PRAGMA user_version');
  if (application === APPLICATION_ID && version === VERSION) return true;
  if (application === APPLICATION_ID) {
    const message = `the embedded datastore ${path} has form ${version}, and this program knows form ${VERSION}`;
    const details = 'Another version of this program wrote it: install that one, or a later one.';
    throw new CalicoError('corrupt', message, { details });
  }
  if (numberOf(db, 'SELECT count(*) FROM sqlite_schema') === 0) return false;
  throw new CalicoError('corrupt', `${path} is the database of another program, not an embedded datastore`, {
    details: 'Set datastore_path to another file.',
  });
}

/** The first column of the only row. */
function numberOf(db: DatabaseSync, sql: string): number {
  return Number(Object.values(db.prepare(sql).get() ?? {})[0]);
}
