/**
 * A process that counts: `counting-writer.ts FILE NAME TIMES`. Each time it raises `/counter` by one and notes the
 * new count under `/last/NAME`, in one commit, and prints `COUNT REVISION` once that is answered.
 */

import { writeSync } from 'node:fs';
import { ABSENT } from '../../../src/base/revision.ts';
import { openSqliteStore } from '../../../src/datastore/sqlite/sqlite-store.ts';
import { deadline, realClock } from '../../support/clock.ts';

const STDOUT = 1;

const [file = '', name = '', times = ''] = process.argv.slice(2);
const store = openSqliteStore(file, realClock);
for (let done = 0; done < Number(times); done++) writeSync(STDOUT, `${await countOnce()}\n`);
await store.close();

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
          { type: 'put', key: `/last/${name}`, value: String(count) },
        ],
      },
      deadline(),
    );
    if (commit.committed) return `${count} ${commit.revision}`;
  }
}
