/** The steps of an installation on real files. */

import {
  chmodSync,
  closeSync,
  fchmodSync,
  fsyncSync,
  linkSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { makeFolder } from '../base/make-folder.ts';
import type { Step } from './steps.ts';

/** The kernel maps an executable in the pieces that it was written in, and counts them as memory of each process. */
const PIECE_BYTES = 64 * 1024;

/** What runs the executable, to see whether it starts. */
const TRY_MS = 30_000;

/** Throws what the kernel says. */
export function doStep(step: Step): void {
  switch (step.do) {
    case 'make-folder':
      if (makeFolder(step.path)) chmodSync(step.path, step.mode);
      break;
    case 'write':
      writing(step.path, step.mode, (fd) => writeFileSync(fd, step.text.reveal()));
      break;
    case 'copy':
      writing(step.path, step.mode, (fd) => copyInPieces(step.from, fd));
      break;
    case 'link':
      link(step);
      break;
    case 'symlink':
      symlinkSync(step.target, step.path);
      break;
    case 'try':
      tryProgram(step.path, step.prints);
      break;
    case 'rename':
      renameSync(step.from, step.to);
      break;
    case 'sync':
      sync(step.path);
      break;
    case 'remove':
      rmSync(step.path, { recursive: true, force: true });
      break;
  }
}

/** A new file; its mode does not depend on the umask. */
function writing(path: string, mode: number, write: (fd: number) => void): void {
  const fd = openSync(path, 'wx', mode);
  try {
    fchmodSync(fd, mode);
    write(fd);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function copyInPieces(from: string, to: number): void {
  const source = openSync(from, 'r');
  try {
    const piece = Buffer.alloc(PIECE_BYTES);
    for (;;) {
      const count = readSync(source, piece, 0, PIECE_BYTES, null);
      if (count === 0) return;
      for (let written = 0; written < count; ) written += writeSync(to, piece, written, count - written);
    }
  } finally {
    closeSync(source);
  }
}

/** Some file systems have no hard links. */
function link({ to, path, name }: Extract<Step, { do: 'link' }>): void {
  try {
    linkSync(to, path);
  } catch {
    symlinkSync(name, path);
  }
}

function sync(folder: string): void {
  const fd = openSync(folder, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function tryProgram(path: string, prints: string): void {
  const { execFileSync } = process.getBuiltinModule('node:child_process');
  const printed = execFileSync(path, ['-v'], {
    encoding: 'utf8',
    timeout: TRY_MS,
    env: {},
    stdio: ['ignore', 'pipe', 'pipe'],
  }).trim();
  if (printed !== prints) throw new Error(`it prints ${JSON.stringify(printed.slice(0, 80))}`);
}
