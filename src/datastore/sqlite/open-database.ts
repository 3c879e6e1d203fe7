/** Opens the file with SQLite, which is part of Node.js and evaluated only now. */

import type { DatabaseSync } from 'node:sqlite';

/**
 * TRUNCATE and FULL together: the end of a commit is on the disk before it is answered. What others may have
 * defined inside the file is not trusted to run. Throws SQLite's own errors.
 */
const SETTINGS = `
  PRAGMA trusted_schema = OFF;
  PRAGMA journal_mode = TRUNCATE;
  PRAGMA synchronous = FULL;
`;

/** Finding a lock is an error of its own kind at once: SQLite would wait for it with the whole process. */
export function openDatabase(path: string): DatabaseSync {
  const { DatabaseSync } = process.getBuiltinModule('node:sqlite');
  const db = new DatabaseSync(path, { timeout: 0 });
  try {
    db.exec(SETTINGS);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}
