/** Completion for bash. Pure. */

import type { CommandDescription } from '../describe-command.ts';
import { completionTable } from './completion-table.ts';

export function bashScript(commands: readonly CommandDescription[]): string {
  const { paths, words, options, values } = completionTable(commands);
  const cases = (lines: readonly (readonly [path: string, text: string])[]): string =>
    lines.map(([path, text]) => `    '${path}') ${text} ;;`).join('\n');
  return `# bash completion of calico: source it, or put it into /etc/bash_completion.d
_calico() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} path=calico word words=
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$path $word" in
    ${paths.map((path) => `'${path}'`).join(' | ')}) path="$path $word" ;;
    esac
  done
  COMPREPLY=()
  case "$path $prev" in
${cases(values.map(({ path, name, takes, choices }) => [`${path} ${name}`, bashValue(takes, choices)]))}
  esac
  case "$path" in
${cases([...words].map(([path, found]) => [path, `words='${found.map(({ word }) => word).join(' ')}'`]))}
  esac
  if [[ $cur == -* ]]; then
    case "$path" in
${cases([...options].map(([path, found]) => [path, `words='${found.map(({ word }) => word).join(' ')}'`]))}
    esac
  fi
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -F _calico calico
`;
}

function bashValue(takes: string, choices: readonly string[]): string {
  if (choices.length > 0) return `COMPREPLY=($(compgen -W '${choices.join(' ')}' -- "$cur")); return`;
  return takes === 'file' ? 'COMPREPLY=($(compgen -f -- "$cur")); return' : 'return';
}
