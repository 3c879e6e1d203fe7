/** Writes numbered lines to a log file that is put aside every few of them. Arguments: the file, a name, how many. */

import { openLogFile } from '../../../src/base/log-file.ts';
import { tryLockFile } from '../../../src/network/native.ts';

const [path, name, count] = process.argv.slice(2);
const log = openLogFile(
  { path, maxBytes: 2_000, maxAgeDays: 0, maxCount: 0 },
  { nowMs: () => Date.now(), tryLock: tryLockFile },
);
for (let number = 0; number < Number(count); number++) log(`${name} ${number}\n`);
