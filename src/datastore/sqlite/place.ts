/**
 * Where the embedded datastore lives: a file of root's own in a directory that no one else may write to. Whoever
 * may write to either could hand out addresses, or plant a journal beside the file for SQLite to play back.
 */

import { closeSync, lstatSync, openSync, type Stats, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { CalicoError, type ErrorKind, errorText } from '../../base/calico-error.ts';
import { makeFolder } from '../../base/make-folder.ts';

const FILE_MODE = 0o600;
const DIRECTORY_MODE = 0o700;
/** Group and others may write. */
const OTHERS_WRITE = 0o022;

/** What is at the path; `undefined`: nothing. Throws `config`, `denied` or `unavailable` when it cannot be used. */
export function findPlace(path: string): Stats | undefined {
  const found = fileCall(`open the embedded datastore ${path}`, () =>
    lstatSync(path, { throwIfNoEntry: false }),
  );
  if (found === undefined) return undefined;
  if (!found.isFile()) {
    const what = found.isSymbolicLink() ? 'is a symbolic link' : 'is not a file';
    throw new CalicoError('config', `cannot open the embedded datastore ${path}: it ${what}`, {
      details: 'Set datastore_path to the path of a file, or to a path where nothing is yet.',
    });
  }
  requireOwn('file', path, found);
  requireOwn('directory', dirname(path), statSync(dirname(path)));
  return found;
}

/**
 * What is at the path: an empty file, and its directory, are made when nothing is. Throws as {@link findPlace}.
 * Never opens a file that exists: closing it would end the locks SQLite holds on it in this process.
 */
export function makePlace(path: string): Stats {
  const found = findPlace(path);
  if (found !== undefined) return found;
  const directory = dirname(path);
  fileCall(`create the embedded datastore ${path}`, () => {
    makeFolder(directory, DIRECTORY_MODE);
    requireOwn('directory', directory, statSync(directory));
    createEmpty(path);
  });
  return makePlace(path);
}

function createEmpty(path: string): void {
  try {
    closeSync(openSync(path, 'ax', FILE_MODE));
  } catch (error) {
    // Another process was faster.
    if (codeOf(error) !== 'EEXIST') throw error;
  }
}

function requireOwn(what: string, path: string, { uid, mode }: Stats): void {
  const isOwn = uid === 0 || uid === processUid();
  if (isOwn && (mode & OTHERS_WRITE) === 0) return;
  const why = isOwn ? `its mode is ${(mode & 0o7777).toString(8)}` : `it belongs to user ${uid}`;
  throw new CalicoError(
    'denied',
    `others may write to the ${what} ${path} of the embedded datastore: ${why}`,
    {
      details: `Make sure of what it holds, then run: chown root ${path}; chmod go-w ${path}`,
    },
  );
}

function processUid(): number {
  return statSync('/proc/self').uid;
}

const KINDS: Readonly<Record<string, ErrorKind>> = {
  EACCES: 'denied',
  EPERM: 'denied',
  EROFS: 'denied',
  ENOTDIR: 'config',
  EEXIST: 'config',
  ELOOP: 'config',
  ENAMETOOLONG: 'config',
};

function fileCall<T>(doing: string, call: () => T): T {
  try {
    return call();
  } catch (cause) {
    const code = codeOf(cause);
    if (code === undefined) throw cause;
    throw new CalicoError(KINDS[code] ?? 'unavailable', `cannot ${doing}: ${errorText(cause)}`, {
      details: 'Check datastore_path, and that its directory can be written to.',
      cause,
    });
  }
}

/** `ENOENT` of an error of the file system. */
function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
