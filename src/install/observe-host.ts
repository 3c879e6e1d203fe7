/** How the host is, beside what is wanted. Reads, and changes nothing. */

import {
  accessSync,
  closeSync,
  constants,
  lstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  readSync,
  type Stats,
  statSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { CalicoError, errorText } from '../base/calico-error.ts';
import { isTemporaryName } from './steps.ts';
import { type FoundTls, presentTls } from './tls-folder.ts';
import type { Found, WantedFile } from './wanted-file.ts';

const PERMISSIONS = 0o777;

/** Throws `config` when a file cannot be looked at. */
export function observe(file: WantedFile): Found {
  try {
    const stats = lstatSync(file.path, { throwIfNoEntry: false });
    if (stats === undefined) return 'absent';
    return isAsWanted(file, stats) ? 'same' : 'different';
  } catch (cause) {
    throw new CalicoError('config', `cannot look at ${file.path}: ${errorText(cause)}`, { cause });
  }
}

function isAsWanted(file: WantedFile, stats: Stats): boolean {
  switch (file.type) {
    case 'folder':
      return stats.isDirectory();
    case 'copy':
      return stats.isFile() && hasMode(stats, file.mode) && hasSameContent(file.source, file.path);
    case 'hard-link':
      return isSameFile(
        statSync(file.path, { throwIfNoEntry: false }),
        statSync(file.to, { throwIfNoEntry: false }),
      );
    case 'text':
      return (
        stats.isFile() && hasMode(stats, file.mode) && readFileSync(file.path, 'utf8') === file.text.reveal()
      );
    case 'symlink':
      return stats.isSymbolicLink() && readlinkSync(file.path) === file.target;
    case 'absent':
      return false;
  }
}

function hasMode(stats: Stats, mode: number): boolean {
  return (stats.mode & PERMISSIONS) === mode;
}

function isSameFile(one: Stats | undefined, other: Stats | undefined): boolean {
  return one !== undefined && other !== undefined && one.dev === other.dev && one.ino === other.ino;
}

const PIECE_BYTES = 1024 * 1024;

/** Piece by piece: an executable is large. */
export function hasSameContent(one: string, other: string): boolean {
  const [first, second] = [statSync(one), statSync(other, { throwIfNoEntry: false })];
  if (isSameFile(first, second)) return true;
  if (first.size !== second?.size) return false;
  const fds = [openSync(one, 'r')];
  try {
    fds.push(openSync(other, 'r'));
    return areEqual(fds, first.size);
  } finally {
    for (const fd of fds) closeSync(fd);
  }
}

function areEqual([one = -1, other = -1]: readonly number[], byteLength: number): boolean {
  const [left, right] = [Buffer.alloc(PIECE_BYTES), Buffer.alloc(PIECE_BYTES)];
  for (let at = 0; at < byteLength; ) {
    const count = readSync(one, left, 0, PIECE_BYTES, at);
    if (count === 0 || readSync(other, right, 0, count, at) !== count) return false;
    if (!left.subarray(0, count).equals(right.subarray(0, count))) return false;
    at += count;
  }
  return true;
}

/** Names of what a folder holds; nothing where there is none. */
export function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

export function leftoversIn(folders: readonly string[]): readonly string[] {
  return folders.flatMap((folder) =>
    namesIn(folder)
      .filter(isTemporaryName)
      .map((name) => join(folder, name)),
  );
}

export function observeTls(folder: string): FoundTls {
  const names = namesIn(folder).filter((name) => !isTemporaryName(name));
  const { files } = presentTls((name) => tryReadText(join(folder, name)));
  const isPlain = ({ name }: { name: string }) =>
    lstatSync(join(folder, name), { throwIfNoEntry: false })?.isFile() ?? false;
  return { names, former: files.some(isPlain) ? files : [] };
}

export function exists(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

/** `undefined` where there is nothing to read. */
export function tryReadText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** Why nothing can be written into a folder, or `undefined` when it can. One that is still to be made counts by its parent. */
export function whyNotWritable(folder: string, mayBeMade: boolean): string | undefined {
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
    return statSync(folder).isDirectory() ? undefined : 'it is no folder';
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'EROFS') return 'it is mounted read-only';
    if (code === 'EACCES' || code === 'EPERM') return 'this user may not write there';
    if (code !== 'ENOENT') return errorText(error);
    if (!mayBeMade) return 'it does not exist: mount it from the host';
    return folder === '/' ? 'it does not exist' : whyNotWritable(dirname(folder), true);
  }
}
