/** Opens the file with SQLite, which is part of Node.js and evaluated only now. */

import type { DatabaseSync } from 'node:sqlite';

/**
 * The tables inside may be anyone's, so nothing they define is trusted to run. FULL: a commit is on the disk
 * before it is answered. Throws SQLite's own errors.
 */
export function openDatabase(path: string): DatabaseSync {
  const { DatabaseSync } = process.getBuiltinModule('node:sqlite');
  const db = new DatabaseSync(path, { timeout: 0 });
  try {
    db.exec('PRAGMA trusted_schema = OFF; PRAGMA synchronous = FULL');
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}
