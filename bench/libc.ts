/** The few calls of the C library that measuring a process needs and Node.js does not offer. */

import ffi from 'node:ffi';
import { constants } from 'node:fs';

const PR_SET_CHILD_SUBREAPER = 36;
const ANY_CHILD = -1;

const { functions: libc } = ffi.dlopen(null, {
  posix_spawnp: { arguments: ['buffer', 'string', 'buffer', 'pointer', 'buffer', 'buffer'], return: 'i32' },
  posix_spawn_file_actions_init: { arguments: ['buffer'], return: 'i32' },
  posix_spawn_file_actions_addopen: {
    arguments: ['buffer', 'i32', 'string', 'i32', 'u32'],
    return: 'i32',
  },
  posix_spawn_file_actions_adddup2: { arguments: ['buffer', 'i32', 'i32'], return: 'i32' },
  posix_spawn_file_actions_destroy: { arguments: ['buffer'], return: 'i32' },
  prctl: { arguments: ['i32', 'u64', 'u64', 'u64', 'u64'], return: 'i32' },
  wait4: { arguments: ['i32', 'buffer', 'i32', 'buffer'], return: 'i32' },
});

/** A process that ended, as wait4(2) tells it. */
export interface Ended {
  readonly pid: number;
  /** `undefined` when a signal ended it. */
  readonly exitCode: number | undefined;
  /** User and system time of it and of the children it waited for. */
  readonly cpuMs: number;
  /** The most memory it held at a time. */
  readonly peakRssMb: number;
}

/** From now on, processes whose parent ended become children of this one, and wait() sees them. */
export function adoptOrphans(): void {
  if (libc.prctl(PR_SET_CHILD_SUBREAPER, 1n, 0n, 0n, 0n) !== 0) throw new Error('prctl failed');
}

/** Starts a program with exactly this environment, its input and its output in files; gives its process id. */
export function spawn(
  argv: readonly string[],
  env: Readonly<Record<string, string>>,
  files: { readonly stdin: string; readonly output: string },
): number {
  const pid = Buffer.alloc(4);
  const texts = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  const [argvPointers, envPointers] = [pointersTo(argv), pointersTo(texts)];
  const actions = fileActions(files.stdin, files.output);
  const error = libc.posix_spawnp(pid, argv[0] ?? '', actions, 0n, argvPointers.array, envPointers.array);
  libc.posix_spawn_file_actions_destroy(actions);
  if (error !== 0) throw new Error(`cannot start ${argv.join(' ')}: error ${error}`);
  return pid.readInt32LE(0);
}

function fileActions(stdin: string, output: string): Buffer {
  // More than any C library's posix_spawn_file_actions_t takes: 80 bytes in glibc.
  const actions = Buffer.alloc(256);
  const { O_RDONLY, O_WRONLY, O_CREAT, O_TRUNC } = constants;
  libc.posix_spawn_file_actions_init(actions);
  libc.posix_spawn_file_actions_addopen(actions, 0, stdin, O_RDONLY, 0);
  libc.posix_spawn_file_actions_addopen(actions, 1, output, O_WRONLY | O_CREAT | O_TRUNC, 0o600);
  libc.posix_spawn_file_actions_adddup2(actions, 1, 2);
  return actions;
}

/** Blocks until any child ends. */
export function wait(): Ended {
  const status = Buffer.alloc(4);
  const usage = Buffer.alloc(144);
  const ended = libc.wait4(ANY_CHILD, status, 0, usage);
  if (ended < 0) throw new Error('wait4 failed: there is no such child');
  const word = status.readInt32LE(0);
  return {
    pid: ended,
    exitCode: (word & 0x7f) === 0 ? (word >> 8) & 0xff : undefined,
    cpuMs: timevalMs(usage, 0) + timevalMs(usage, 16),
    peakRssMb: Number(usage.readBigInt64LE(32)) / 1024,
  };
}

function timevalMs(usage: Buffer, offset: number): number {
  return Number(usage.readBigInt64LE(offset)) * 1000 + Number(usage.readBigInt64LE(offset + 8)) / 1000;
}

/** A C array of C strings that ends with NULL; the texts are kept so that they are not freed meanwhile. */
function pointersTo(texts: readonly string[]): { readonly array: Buffer; readonly texts: readonly Buffer[] } {
  const kept = texts.map((text) => Buffer.from(`${text}\0`));
  const array = Buffer.alloc(8 * (kept.length + 1));
  kept.forEach((text, index) => {
    array.writeBigUInt64LE(ffi.getRawPointer(text), 8 * index);
  });
  return { array, texts: kept };
}
