/** `calico ipam`: everything about addresses. */

import { Command } from 'commander';
import type { CommandWorld, ExitCode } from '../command-world.ts';
import { checkCommand } from './check.ts';
import { configureCommand } from './configure.ts';
import { releaseCommand } from './release.ts';
import { showCommand } from './show.ts';

export function ipamCommand(world: CommandWorld, exit: (code: ExitCode) => void): Command {
  return new Command('ipam')
    .summary('look into IPAM: usage, damage, leaks, rules')
    .description('Shows who has which address, finds what is wrong with the records, and puts it right.')
    .addCommand(showCommand(world))
    .addCommand(checkCommand(world, exit))
    .addCommand(releaseCommand(world, exit))
    .addCommand(configureCommand(world));
}
