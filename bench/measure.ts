/**
 * Runs programs and measures each: wall time, CPU time, peak memory.
 *
 * Each is started by `setsid --fork`, which ends at once, and then adopted. Were it started from here directly, the
 * kernel would count our own memory as its peak: a child begins as a copy of its parent. That costs less than 1 ms
 * of wall time; `/bin/true`, measured like all others, shows how much.
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { adoptOrphans, spawn, wait } from './libc.ts';

export interface Command {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Path of the file that it reads as stdin. */
  readonly stdinFile: string;
}

export interface Measurement {
  /** From the start of the whole group to the end of this one. */
  readonly wallMs: number;
  readonly cpuMs: number;
  readonly peakRssMb: number;
}

adoptOrphans();

/**
 * Runs all commands at once and waits for all; blocks this process, so that it takes nothing from them.
 * Gives one measurement each, in the order in which they ended; throws with its output when one fails.
 */
export function measure(commands: readonly Command[], folder: string): readonly Measurement[] {
  const outputs = commands.map((_, index) => join(folder, `output-${index}`));
  const startedMs = performance.now();
  const launchers = commands.map(({ argv, env, stdinFile }, index) =>
    spawn(['setsid', '--fork', ...argv], env, { stdin: stdinFile, output: outputs[index] ?? '' }),
  );
  const measurements: Measurement[] = [];
  for (let toEnd = launchers.length + commands.length; toEnd > 0; toEnd--) {
    const { pid, exitCode, cpuMs, peakRssMb } = wait();
    if (exitCode !== 0) throw new Error(`a program failed: ${outputs.map(read).join('')}`);
    if (!launchers.includes(pid))
      measurements.push({ wallMs: performance.now() - startedMs, cpuMs, peakRssMb });
  }
  return measurements;
}

function read(path: string): string {
  return readFileSync(path, 'utf8');
}
