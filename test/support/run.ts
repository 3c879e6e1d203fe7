/** Runs a program to its end and tells all of it: what it wrote, how it ended, how long it took. */

import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { toolPath } from './tools.ts';

export interface RunOptions {
  /** All of its environment; PATH is added unless given. */
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string | Uint8Array;
  /** Name of a network namespace (`ip netns`) to run in. */
  readonly netns?: string;
  /** After this long it is killed. */
  readonly timeoutMs?: number;
}

export interface Finished {
  readonly stdout: string;
  readonly stderr: string;
  /** `undefined` when a signal ended it. */
  readonly exitCode: number | undefined;
  readonly elapsedMs: number;
}

/** Runs `argv` to its end, whatever its exit code is; throws only when it cannot be started. */
export async function run(argv: readonly string[], options: RunOptions = {}): Promise<Finished> {
  const { env = {}, stdin = '', netns, timeoutMs = 30_000 } = options;
  const inside = netns === undefined ? [] : ['ip', 'netns', 'exec', netns];
  const [program = '', ...args] = [...inside, ...argv];
  const startedMs = performance.now();
  const child = spawn(program, args, {
    env: { PATH: toolPath(), ...env },
    timeout: timeoutMs,
    killSignal: 'SIGKILL',
  });
  // A program that ends before it has read its input is no failure of ours.
  child.stdin.on('error', () => undefined).end(stdin);
  const ended = new Promise<number | undefined>((resolve, reject) => {
    child.once('error', reject).once('close', (code) => resolve(code ?? undefined));
  });
  const [stdout, stderr, exitCode] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { stdout, stderr, exitCode, elapsedMs: performance.now() - startedMs };
}

/** Like {@link run}, but gives stdout alone and throws when the exit code is not 0. */
export async function output(argv: readonly string[], options: RunOptions = {}): Promise<string> {
  const { stdout, stderr, exitCode } = await run(argv, options);
  if (exitCode === 0) return stdout;
  throw new Error(`${argv.join(' ')} ended with ${exitCode ?? 'a signal'}: ${stderr}${stdout}`);
}
