/** Completion for fish. Pure. */

import type { CommandDescription } from '../describe-command.ts';
import { completionTable } from './completion-table.ts';

export function fishScript(commands: readonly CommandDescription[]): string {
  const { paths, words } = completionTable(commands);
  const at = (path: string): string => `complete -c calico -n 'test (__calico_path) = "${path}"'`;
  const arguments_ = [...words].flatMap(([path, list]) =>
    list.map(({ word, description }) => `${at(path)} -a ${word} -d ${quoted(description)}`),
  );
  const options = commands.flatMap(({ path, options: list }) =>
    list.map(({ names, description, takes, choices }) => {
      const flags = names.map((name) =>
        name.startsWith('--') ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`,
      );
      return `${at(path.join(' '))} ${flags.join(' ')}${fishValue(takes, choices)} -d ${quoted(description)}`;
    }),
  );
  return `# fish completion of calico: put it into ~/.config/fish/completions/calico.fish
function __calico_path
    set -l path calico
    for word in (commandline -opc)[2..-1]
        switch "$path $word"
            case ${paths.map((path) => `'${path}'`).join(' ')}
                set path "$path $word"
        end
    end
    echo $path
end
complete -c calico -f
${[...arguments_, ...options].join('\n')}
`;
}

function fishValue(takes: string, choices: readonly string[]): string {
  if (choices.length > 0) return ` -x -a '${choices.join(' ')}'`;
  if (takes === 'file') return ' -r -F';
  return takes === 'value' ? ' -x' : '';
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
