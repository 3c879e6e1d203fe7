/**
 * A process that is killed in the middle of a commit: `half-commit.ts FILE`. It changes every entry, so much at once
 * that SQLite writes changed pages to the file before the end, and ends without one.
 */

import { openDatabase } from '../../../src/datastore/sqlite/open-database.ts';

const [file = ''] = process.argv.slice(2);
const db = openDatabase(file);
db.exec('PRAGMA cache_size = 1; PRAGMA cache_spill = 1; BEGIN IMMEDIATE');
db.exec('UPDATE revision SET value = 1000');
db.exec('UPDATE entry SET revision = 1000, value = hex(zeroblob(50000))');
process.kill(process.pid, 'SIGKILL');
