/**
 * A process that commits once and reads: `one-commit.ts FILE BYTES` puts that much under `/a`, and prints, as JSON,
 * the error if there is one and how much `/a` holds afterwards.
 */

import { writeSync } from 'node:fs';
import { isCalicoError } from '../../../src/base/calico-error.ts';
import { openSqliteStore } from '../../../src/datastore/sqlite/sqlite-store.ts';
import { deadline, realClock } from '../../support/clock.ts';

const STDOUT = 1;

const [file = '', bytes = ''] = process.argv.slice(2);
const store = openSqliteStore(file, realClock);
const value = 'x'.repeat(Number(bytes));
const error = await failureOf(
  store.commit({ expect: [], write: [{ type: 'put', key: '/a', value }] }, deadline()),
);
const left = await store.read([{ key: '/a' }], deadline()).then(
  ({ entries }) => entries[0]?.[0]?.value.length ?? 0,
  () => undefined,
);
writeSync(STDOUT, `${JSON.stringify({ error, left })}\n`);

async function failureOf(call: Promise<unknown>): Promise<object | undefined> {
  try {
    await call;
    return undefined;
  } catch (thrown) {
    if (!isCalicoError(thrown)) throw thrown;
    const { name, kind, message, details } = thrown;
    return { name, kind, message, details };
  }
}
