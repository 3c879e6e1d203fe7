/**
 * Puts a log file aside that has become large, and looks after those that were put aside before. Many processes write
 * to it at once, each opens it for every line. So the one that gets its lock renames it, and the others go on in a new
 * one; a process that was just about to write still writes to the old one, which is why that is not compressed at once.
 */

import {
  closeSync,
  existsSync,
  fstatSync,
  openSync,
  readdirSync,
  readSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { parseRotatedName, type RotatedFile, rotatedName } from './rotated-name.ts';

export interface RotationLimits {
  /** Days for which a file that was put aside is kept; below 1: for ever. */
  readonly maxAgeDays: number;
  /** How many of them are kept; below 1: all. */
  readonly maxCount: number;
}

export interface RotationPort {
  readonly nowMs: () => number;
  /** flock(2), exclusive, without waiting: whether it is ours now. It ends with the descriptor. */
  readonly tryLock: (fd: number) => boolean;
}

const DAY_MS = 24 * 60 * 60 * 1_000;
/** Nobody takes longer from opening the file to writing a line. */
const SETTLED_MS = 10_000;
/** Compressed piece by piece, so that a process stays small: pieces after each other are one zstd file. */
const PIECE_BYTES = 1 << 20;

/** `fd`: the file at `path`, as it was when it was opened. Does nothing when another process is at it, or was. */
export function rotateLogFile(path: string, fd: number, limits: RotationLimits, port: RotationPort): void {
  if (!port.tryLock(fd)) return;
  const real = realpathSync(path);
  if (statSync(real).ino !== fstatSync(fd).ino) return;
  renameSync(real, freePath(real, port.nowMs()));
  tidy(real, limits, port);
}

function freePath(logFile: string, nowMs: number): string {
  for (let atMs = nowMs; ; atMs++) {
    const path = join(dirname(logFile), rotatedName(logFile, atMs));
    if (!existsSync(path) && !existsSync(`${path}.zst`)) return path;
  }
}

/** Removes what is too old or too many, and compresses one: a call has other things to do. */
function tidy(logFile: string, { maxAgeDays, maxCount }: RotationLimits, port: RotationPort): void {
  const folder = dirname(logFile);
  const files = rotatedFiles(folder, basename(logFile));
  const oldestMs = maxAgeDays < 1 ? 0 : port.nowMs() - maxAgeDays * DAY_MS;
  const isDoomed = ({ atMs }: RotatedFile, index: number) =>
    atMs < oldestMs || (maxCount >= 1 && index < files.length - maxCount);
  for (const { name } of files.filter(isDoomed)) {
    rmSync(join(folder, name), { force: true });
    rmSync(unfinishedOf(join(folder, name)), { force: true });
  }
  const plain = files.filter((file, index) => !file.isCompressed && !isDoomed(file, index));
  const settled = plain.find(({ name }) => isSettled(join(folder, name), port));
  if (settled !== undefined) compress(join(folder, settled.name), port);
}

/** Oldest first. */
function rotatedFiles(folder: string, logFile: string): readonly RotatedFile[] {
  return readdirSync(folder)
    .flatMap((name) => parseRotatedName(name, logFile) ?? [])
    .toSorted((a, b) => a.atMs - b.atMs);
}

function isSettled(path: string, { nowMs }: RotationPort): boolean {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats !== undefined && nowMs() - stats.mtimeMs > SETTLED_MS;
}

/** Whoever is killed meanwhile leaves the file as it was, and an unfinished one that is written anew. */
function compress(path: string, { tryLock }: RotationPort): void {
  const from = openSync(path, 'r');
  try {
    if (!tryLock(from)) return;
    const unfinished = unfinishedOf(path);
    const to = openSync(unfinished, 'w', 0o644);
    try {
      compressInto(from, to);
    } finally {
      closeSync(to);
    }
    renameSync(unfinished, `${path}.zst`);
    rmSync(path);
  } finally {
    closeSync(from);
  }
}

function unfinishedOf(path: string): string {
  return `${path}.zst.tmp`;
}

function compressInto(from: number, to: number): void {
  const { zstdCompressSync } = process.getBuiltinModule('node:zlib');
  const piece = Buffer.alloc(PIECE_BYTES);
  for (let length = readSync(from, piece); length > 0; length = readSync(from, piece)) {
    writeAll(to, zstdCompressSync(piece.subarray(0, length)));
  }
}

function writeAll(fd: number, bytes: Uint8Array): void {
  for (let rest = bytes; rest.length > 0; ) rest = rest.subarray(writeSync(fd, rest));
}
