/** All commands, each from a file of its own. */

import { Command } from 'commander';
import { applyCommand, createCommand } from './apply/apply.ts';
import { bootstrapCommand } from './bootstrap.ts';
import type { CommandWorld, ExitCode } from './command-world.ts';
import { completionCommand } from './completion/completion.ts';
import { getCommand } from './get/get.ts';
import { EXIT_STATUS } from './help-text.ts';
import { installCommand, uninstallCommand } from './install.ts';
import { ipamCommand } from './ipam/ipam.ts';
import { nodeCommand } from './node.ts';
import { testConnectionCommand } from './test-connection.ts';

/** `exit`: told by commands that find something wrong without failing. */
export function commandTree(world: CommandWorld, exit: (code: ExitCode) => void): Command {
  const tree: Command = new Command('calico')
    .description(
      'A Calico-compatible CNI plugin. Called by a container runtime, it networks pods; these commands are for people.',
    )
    .version(world.version, '-v, --version', 'print the version and exit')
    .helpOption('-h, --help', 'show help, also of each command')
    // What follows a command's name is its own, also where the command above has an option of that name.
    .enablePositionalOptions()
    .addCommand(bootstrapCommand(world))
    .addCommand(nodeCommand(world, exit))
    .addCommand(ipamCommand(world, exit))
    .addCommand(installCommand(world))
    .addCommand(uninstallCommand(world))
    .addCommand(testConnectionCommand(world, exit))
    .addCommand(getCommand(world, exit))
    .addCommand(applyCommand(world))
    .addCommand(createCommand(world))
    .addCommand(completionCommand(world, () => tree))
    .addHelpText('after', EXIT_STATUS);
  return configured(tree, world);
}

/** Output goes through the world, and nothing ends the process. Commands inherit that only before they are added. */
function configured(command: Command, world: CommandWorld): Command {
  command
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void world.writeStdout(text),
      writeErr: (text) => void world.writeStderr(text),
      getOutHelpWidth: () => world.terminal.columns,
      getErrHelpWidth: () => world.terminal.columns,
    })
    .showHelpAfterError('(try --help)');
  for (const one of command.commands) configured(one, world);
  return command;
}
