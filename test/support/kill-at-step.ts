/**
 * A program that is killed at a chosen system call of its main thread, by strace: the program is the very one that is
 * delivered, with no hook for it. It dies as the call begins, so what the call would have done has not happened, and
 * what came before has.
 */

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findTool } from './tools.ts';

/** A system call: the `nth` (from 1) of its name in this process. */
export interface Step {
  readonly name: string;
  readonly nth: number;
  /** What was done to what, as strace shows it. */
  readonly text: string;
}

/** Runs something under the command line it is given. */
export type RunUnder<T> = (under: readonly string[]) => Promise<T>;

/** Why no program can be killed at a step here; `undefined` when it can. */
export function whyNoStrace(): string | undefined {
  return findTool('strace') === undefined ? 'needs strace' : undefined;
}

/** What the main thread asks the kernel for from the moment it has read its stdin to its end, in order. */
export async function observeSteps(run: RunUnder<unknown>): Promise<readonly Step[]> {
  const { lines } = await traced(['--trace=all'], run);
  const counts = new Map<string, number>();
  const steps = lines.flatMap((text): Step[] => {
    const name = /^(\w+)\(/.exec(text)?.[1];
    if (name === undefined) return [];
    const nth = (counts.get(name) ?? 0) + 1;
    counts.set(name, nth);
    return [{ name, nth, text }];
  });
  const begin = steps.findIndex(({ text }) => /^read\(0\b/.test(text));
  if (begin < 0) throw new Error(`it never read its stdin:\n${lines.slice(-20).join('\n')}`);
  return steps.slice(begin);
}

export interface KilledRun<T> {
  readonly outcome: T;
  /** Its system calls of the step's name, up to the one it died at; `undefined` when it ended before. */
  readonly fatal: readonly string[] | undefined;
}

/** Runs it once, to the given step and not further. */
export async function runUntil<T>(
  { name, nth }: Omit<Step, 'text'>,
  run: RunUnder<T>,
): Promise<KilledRun<T>> {
  const kill = [`--trace=${name}`, `--inject=${name}:signal=SIGKILL:when=${nth}`];
  const { outcome, lines } = await traced(kill, run);
  const isKilled = lines.at(-1)?.includes('killed by SIGKILL') ?? false;
  return { outcome, fatal: isKilled ? lines.slice(0, -1) : undefined };
}

async function traced<T>(options: readonly string[], run: RunUnder<T>) {
  const folder = mkdtempSync(join(tmpdir(), 'strace-'));
  const file = join(folder, 'steps');
  try {
    const outcome = await run(['strace', '--output', file, '--decode-fds=path,socket', ...options]);
    return { outcome, lines: readFileSync(file, 'utf8').trimEnd().split('\n') };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
