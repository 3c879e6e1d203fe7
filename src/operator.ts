/**
 * What the executable does for people, beside the plugins: bootstrap, and whatever else has a name of its own. A bundle of
 * its own, evaluated only when it is asked for: nothing of it is part of a plugin call.
 */

import { CommanderError } from 'commander';
import { commandTree } from './cli/command-tree.ts';
import type { CommandWorld, ExitCode } from './cli/command-world.ts';
import { cniErrorOf } from './cni/error.ts';

export type { CommandWorld, ExitCode };

/** Runs a command line without the program's name. Never rejects; errors are told on stderr. */
export async function operate(args: readonly string[], world: CommandWorld): Promise<ExitCode> {
  let exitCode: ExitCode = 0;
  const tree = commandTree(world, (code) => {
    exitCode = code;
  });
  try {
    await tree.parseAsync([...args], { from: 'user' });
    return exitCode;
  } catch (error) {
    // commander has said what is wrong, or has shown its help.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    const { msg, details } = cniErrorOf(error);
    await world.writeStderr(`Error: ${[msg, details].filter(Boolean).join('\n')}\n`);
    return 1;
  }
}
