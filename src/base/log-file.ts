/** The log file of the configuration, beside stderr. */

import { closeSync, fstatSync, openSync, statSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { makeFolder } from './make-folder.ts';
import { type RotationLimits, type RotationPort, rotateLogFile } from './rotate-log-file.ts';

export interface LogFile extends RotationLimits {
  /** `undefined`: there is none. */
  readonly path: string | undefined;
  /** Larger than that, it is put aside and a new one begun; below 1: never. */
  readonly maxBytes: number;
}

/**
 * Appends whole lines, which the kernel keeps apart also when many processes write at once. A log that cannot be
 * written (full disk, read-only directory) never fails a call.
 */
export function openLogFile(file: LogFile, port: RotationPort): (line: string) => void {
  const { path } = file;
  if (path === undefined) return () => undefined;
  let usable: boolean | undefined;
  return (line) => {
    try {
      usable ??= prepare(path);
      if (usable) append(path, line, file, port);
    } catch {
      usable = false;
    }
  };
}

/**
 * Once per process: makes the folder, and tells whether the file can be one. A device or a pipe is no log file:
 * /dev/stdout would mix log lines into the result.
 */
function prepare(path: string): boolean {
  makeFolder(dirname(path), 0o755);
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? true;
}

/** Opened for each line: by the next one, another process may have put it aside. */
function append(path: string, line: string, file: LogFile, port: RotationPort): void {
  const fd = openSync(path, 'a', 0o644);
  try {
    writeSync(fd, line);
    if (file.maxBytes >= 1 && fstatSync(fd).size >= file.maxBytes) tryRotate(path, fd, file, port);
  } finally {
    closeSync(fd);
  }
}

/** The line is written: a file that stays where it is is no reason to write no others. */
function tryRotate(path: string, fd: number, file: LogFile, port: RotationPort): void {
  try {
    rotateLogFile(path, fd, file, port);
  } catch {
    // The next line tries again.
  }
}
