/** A tree of commands as data: what completion scripts and documents are made of. */

import type { Argument, Command, Option } from 'commander';

export interface OptionDescription {
  /** As help shows it: `-o, --output <format>`. */
  readonly flags: string;
  /** `-o` and `--output`. */
  readonly names: readonly string[];
  readonly description: string;
  /** What follows it on the command line. */
  readonly takes: 'nothing' | 'file' | 'value';
  readonly choices: readonly string[];
  /** Heading of its group in the help; empty for the command's own. */
  readonly group: string;
}

export interface ArgumentDescription {
  /** As usage shows it: `<kind>`, `[name...]`. */
  readonly form: string;
  readonly description: string;
  readonly choices: readonly string[];
}

export interface CommandDescription {
  /** `['calico', 'ipam', 'show']`. */
  readonly path: readonly string[];
  readonly summary: string;
  readonly description: string;
  readonly usage: string;
  readonly arguments: readonly ArgumentDescription[];
  readonly options: readonly OptionDescription[];
  readonly subcommands: readonly { readonly name: string; readonly summary: string }[];
  /** What help says after all that: examples, exit status. */
  readonly remarks: string;
}

/** The command and all below it, parents first. */
export function describeCommands(
  command: Command,
  above: readonly string[] = [],
): readonly CommandDescription[] {
  const path = [...above, command.name()];
  const below = visibleCommands(command);
  return [describe(command, path), ...below.flatMap((one) => describeCommands(one, path))];
}

/** Without commander's own `help`, which says nothing that `--help` does not. */
function visibleCommands(command: Command): readonly Command[] {
  return command
    .createHelp()
    .visibleCommands(command)
    .filter((one) => one.name() !== 'help');
}

function describe(command: Command, path: readonly string[]): CommandDescription {
  const help = command.createHelp();
  return {
    path,
    summary: command.summary(),
    description: command.description(),
    usage: `${path.join(' ')} ${command.usage()}`.replace(/ \[command\]$/, ' <command>'),
    arguments: help.visibleArguments(command).map(describeArgument),
    options: help.visibleOptions(command).map(describeOption),
    subcommands: visibleCommands(command).map((one) => ({ name: one.name(), summary: one.summary() })),
    remarks: remarksOf(command),
  };
}

function describeArgument(argument: Argument): ArgumentDescription {
  const name = argument.name() + (argument.variadic ? '...' : '');
  return {
    form: argument.required ? `<${name}>` : `[${name}]`,
    description: argument.description,
    choices: argument.argChoices ?? [],
  };
}

function describeOption(option: Option): OptionDescription {
  const takesValue = option.required || option.optional;
  const isPath = /<(?:file|folder|directory|path)>/.test(option.flags);
  return {
    flags: option.flags,
    names: [option.short, option.long].filter((name) => name !== undefined),
    description: option.description,
    takes: takesValue ? (isPath ? 'file' : 'value') : 'nothing',
    choices: option.argChoices ?? [],
    group: option.helpGroupHeading?.replace(/:$/, '') ?? '',
  };
}

/** commander keeps such texts to itself: they are what help prints beyond the help as such. */
function remarksOf(command: Command): string {
  let printed = '';
  const before = command.configureOutput();
  command.configureOutput({
    ...before,
    writeOut: (text) => {
      printed += text;
    },
  });
  command.outputHelp();
  command.configureOutput(before);
  const help = command.helpInformation();
  const at = printed.indexOf(help);
  return at < 0 ? '' : printed.slice(at + help.length).trim();
}
