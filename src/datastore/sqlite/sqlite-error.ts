/** What SQLite's errors mean to whoever runs the node. Pure. */

import { CalicoError, type ErrorKind, errorText } from '../../base/calico-error.ts';
import type { Deadline } from '../../base/deadline.ts';

/** Primary result codes (https://sqlite.org/rescode.html). */
const SQL_ERROR = 1;
const BUSY = 5;
const READ_ONLY = 8;
const IO_ERROR = 10;
const CORRUPT = 11;
const FULL = 13;
const CANNOT_OPEN = 14;
const PROTOCOL = 15;
const CONSTRAINT = 19;
const NOT_A_DATABASE = 26;

/** The primary result code of an error that SQLite raised; `undefined` for any other error. */
function resultCode(error: unknown): number | undefined {
  const isRaised = error instanceof Error && 'errcode' in error && typeof error.errcode === 'number';
  return isRaised ? Number(error.errcode) & 0xff : undefined;
}

/** Another process is in the way at this moment. */
export function isBusy(error: unknown): boolean {
  const code = resultCode(error);
  return code === BUSY || code === PROTOCOL;
}

/** The disk failed: what was being written may be there after a restart, or not. */
export function isIoError(error: unknown): boolean {
  return resultCode(error) === IO_ERROR;
}

/** The time was up before the other processes let go. */
export function busyError(path: string, { of, budgetMs }: Deadline): CalicoError {
  const message = `${of} could not lock the embedded datastore ${path} within ${budgetMs} ms`;
  const details = `Another process is using it; if it does not end, "fuser ${path}" names it.`;
  return new CalicoError('unavailable', message, { details });
}

/** Any error of SQLite in words that name the file and say what to do; others stay as they are. */
export function storeError(path: string, error: unknown): unknown {
  const code = resultCode(error);
  if (code === undefined) return error;
  const [kind, what, details] = MEANINGS[code] ?? OTHER;
  const message = `${what.replace('PATH', `the embedded datastore ${path}`)}: ${errorText(error)}`;
  return new CalicoError(kind, message, { details, cause: error });
}

/** What is in the file cannot be what this program wrote. */
export function damagedError(path: string, why: string): CalicoError {
  const [kind, what, details] = DAMAGED;
  return new CalicoError(kind, `${what.replace('PATH', `the embedded datastore ${path}`)}: ${why}`, {
    details,
  });
}

type Meaning = readonly [kind: ErrorKind, what: string, details: string];

const DAMAGED: Meaning = [
  'corrupt',
  'PATH is damaged',
  'Restore it from a backup, or move it away and set the datastore up again once no pod is left on this node.',
];

const MEANINGS: Readonly<Record<number, Meaning>> = {
  [SQL_ERROR]: DAMAGED,
  [CORRUPT]: DAMAGED,
  [CONSTRAINT]: DAMAGED,
  [NOT_A_DATABASE]: ['corrupt', 'PATH is not a database', 'Set datastore_path to another file.'],
  [READ_ONLY]: ['denied', 'cannot write to PATH', 'Its file system must not be mounted read-only.'],
  [FULL]: ['unavailable', 'cannot write to PATH', 'Nothing was written. Make room on its file system.'],
  [CANNOT_OPEN]: [
    'unavailable',
    'cannot open PATH',
    'Its directory must be writable, on a file system with room for the journal that SQLite keeps beside it.',
  ],
  [IO_ERROR]: [
    'unavailable',
    'cannot read or write PATH',
    'The kernel log says what is wrong with the disk.',
  ],
};

const OTHER: Meaning = ['internal', 'SQLite failed on PATH', 'Please report it, with the log.'];
