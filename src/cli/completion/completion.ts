/** `calico completion`: teaches a shell the commands there are. */

import { Argument, Command } from 'commander';
import type { CommandWorld } from '../command-world.ts';
import { type CommandDescription, describeCommands } from '../describe-command.ts';
import { examplesText } from '../help-text.ts';
import { bashScript } from './bash-script.ts';
import { fishScript } from './fish-script.ts';
import { zshScript } from './zsh-script.ts';

const SCRIPTS: Readonly<Record<string, (commands: readonly CommandDescription[]) => string>> = {
  bash: bashScript,
  zsh: zshScript,
  fish: fishScript,
};

/** `tree`: gives all commands, once they are all there. */
export function completionCommand(world: CommandWorld, tree: () => Command): Command {
  return new Command('completion')
    .summary('print a script that completes commands in a shell')
    .description('Prints a script for bash, zsh or fish, made of the commands of this very version.')
    .addArgument(new Argument('<shell>', 'whose script').choices(Object.keys(SCRIPTS)))
    .addHelpText(
      'after',
      examplesText([
        ['bash, for this session', 'source <(calico completion bash)'],
        ['bash, for all users', 'calico completion bash > /etc/bash_completion.d/calico'],
        ['zsh', 'calico completion zsh > "$fpath[1]/_calico"'],
        ['fish', 'calico completion fish > ~/.config/fish/completions/calico.fish'],
      ]),
    )
    .action(async (shell: string) => {
      await world.writeStdout(SCRIPTS[shell]?.(describeCommands(tree())) ?? '');
    });
}
