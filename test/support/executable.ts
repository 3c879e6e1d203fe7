/** The finished executable, called the way a container runtime calls it. */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Finished, type RunOptions, run } from './run.ts';
import { REPOSITORY } from './tools.ts';

export type ProgramName = 'calico' | 'calico-ipam';

/** Where `make build` puts the executable under both its names. */
export const EXECUTABLE_FOLDER = join(REPOSITORY, 'dist');

/** The path of the executable under one of its names; throws an error that says how to build it. */
export function executable(name: ProgramName): string {
  const path = join(EXECUTABLE_FOLDER, name);
  if (!existsSync(path)) throw new Error(`${path} is missing: run "make build" first`);
  return path;
}

export interface ExecutableOptions extends RunOptions {
  readonly args?: readonly string[];
  /** A program, with its arguments, that runs the executable: a tracer, for example. */
  readonly under?: readonly string[];
}

/** Runs the executable with exactly this environment (PATH added) and stdin. */
export function runExecutable(name: ProgramName, options: ExecutableOptions): Promise<Finished> {
  const { under = [], args = [] } = options;
  return run([...under, executable(name), ...args], options);
}
