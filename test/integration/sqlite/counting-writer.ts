/**
 * A process that counts: `counting-writer.ts FILE NAME TIMES [BYTES]`. Each time it raises `/counter` by one and notes
 * the new count under `/last/NAME`, before so many bytes, in one commit; prints `COUNT REVISION` once that is answered.
 */

import { writeSync } from 'node:fs';
import { ABSENT } from '../../../src/base/revision.ts';
import { openSqliteStore } from '../../../src/datastore/sqlite/sqlite-store.ts';
import { deadline, realClock } from '../../support/clock.ts';

const STDOUT = 1;

const [file = '', name = '', times = '', bytes = ''] = process.argv.slice(2);
const store = openSqliteStore(file, realClock);
for (let done = 0; done < Number(times); done++) writeSync(STDOUT, `${await countOnce()}\n`);
await store.close();
// As the plugin ends: without waiting for anything, and without closing what close() left open.
process.exit(0);

async function countOnce(): Promise<string> {
  for (;;) {
    const { entries } = await store.read([{ key: '/counter' }], deadline());
    const found = entries[0]?.[0];
    const count = Number(found?.value ?? 0) + 1;
    const commit = await store.commit(
      {
        expect: [{ key: '/counter', revision: found?.revision ?? ABSENT }],
        write: [
          { type: 'put', key: '/counter', value: String(count) },
          { type: 'put', key: `/last/${name}`, value: `${count}${padding(count)}` },
        ],
      },
      deadline(),
    );
    if (commit.committed) return `${count} ${commit.revision}`;
  }
}

/** Never the same twice in a row: SQLite does not write again what is there. */
function padding(count: number): string {
  return 'ab'.charAt(count % 2).repeat(Number(bytes));
}
