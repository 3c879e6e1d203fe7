/** Completion for zsh. Pure. */

import type { CommandDescription } from '../describe-command.ts';
import { type CompletionWord, completionTable } from './completion-table.ts';

export function zshScript(commands: readonly CommandDescription[]): string {
  const { paths, words, options, values } = completionTable(commands);
  const cases = (found: ReadonlyMap<string, readonly CompletionWord[]>): string =>
    [...found].map(([path, list]) => `    '${path}') found=(${list.map(zshWord).join(' ')}) ;;`).join('\n');
  return `#compdef calico
# zsh completion of calico: put it into a folder of $fpath as _calico, or source it
_calico() {
  local path_=calico word prev=\${words[CURRENT-1]}
  local -a found
  for word in \${words[2,CURRENT-1]}; do
    case "$path_ $word" in
    ${paths.map((path) => `'${path}'`).join(' | ')}) path_="$path_ $word" ;;
    esac
  done
  case "$path_ $prev" in
${values.map(({ path, name, takes, choices }) => `    '${path} ${name}') ${zshValue(takes, choices)}; return ;;`).join('\n')}
  esac
  case "$path_" in
${cases(words)}
  esac
  if [[ \${words[CURRENT]} == -* ]]; then
    case "$path_" in
${cases(options)}
    esac
  fi
  _describe 'calico' found
}
if [ "$funcstack[1]" = _calico ]; then _calico "$@"; else compdef _calico calico; fi
`;
}

function zshValue(takes: string, choices: readonly string[]): string {
  if (choices.length > 0) return `compadd -- ${choices.join(' ')}`;
  return takes === 'file' ? '_files' : ':';
}

/** In single quotes; a colon is what ends the word. */
function zshWord({ word, description }: CompletionWord): string {
  return `'${word.replaceAll(':', '\\:')}:${description.replaceAll("'", "'\\''")}'`;
}
