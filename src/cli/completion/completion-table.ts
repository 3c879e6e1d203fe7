/** What may come where on a command line. Pure. */

import type { CommandDescription } from '../describe-command.ts';

export interface CompletionWord {
  readonly word: string;
  readonly description: string;
}

export interface CompletionTable {
  /** Of all commands but the first: `calico ipam show`. */
  readonly paths: readonly string[];
  /** Commands and choices of the first argument, by path. */
  readonly words: ReadonlyMap<string, readonly CompletionWord[]>;
  readonly options: ReadonlyMap<string, readonly CompletionWord[]>;
  /** Options that something follows; `name`: `--output`. */
  readonly values: readonly {
    readonly path: string;
    readonly name: string;
    readonly takes: 'file' | 'value';
    readonly choices: readonly string[];
  }[];
}

export function completionTable(commands: readonly CommandDescription[]): CompletionTable {
  const pathOf = ({ path }: CommandDescription): string => path.join(' ');
  return {
    paths: commands.filter(({ path }) => path.length > 1).map(pathOf),
    words: new Map(commands.map((command) => [pathOf(command), wordsOf(command)])),
    options: new Map(commands.map((command) => [pathOf(command), optionsOf(command)])),
    values: commands.flatMap((command) =>
      command.options.flatMap(({ names, takes, choices }) =>
        takes === 'nothing' ? [] : names.map((name) => ({ path: pathOf(command), name, takes, choices })),
      ),
    ),
  };
}

function wordsOf({ subcommands, arguments: [first] }: CommandDescription): readonly CompletionWord[] {
  const choices = first?.choices ?? [];
  return [
    ...subcommands.map(({ name, summary }) => ({ word: name, description: summary })),
    ...choices.map((word) => ({ word, description: first?.description ?? '' })),
  ];
}

function optionsOf({ options }: CommandDescription): readonly CompletionWord[] {
  return options.flatMap(({ names, description }) => names.map((word) => ({ word, description })));
}
