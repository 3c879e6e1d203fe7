/** The manual of all commands as Markdown, in the parts of a manual page. */

import { commandTree } from '../src/cli/command-tree.ts';
import type { CommandWorld } from '../src/cli/command-world.ts';
import {
  type CommandDescription,
  describeCommands,
  type OptionDescription,
} from '../src/cli/describe-command.ts';

const HEAD = `# Commands

Made from the commands themselves by \`make docs\`; \`calico COMMAND --help\` says the same. Options about the datastore are the
same for all commands that need one, and are told once, [at the end](#datastore).

`;

/** Options of this group are the same wherever they are. */
const SHARED_GROUP = 'Datastore';

export function commandDocs(): string {
  const commands = describeCommands(commandTree(PRINTING_NOTHING, () => undefined));
  const contents = commands.map(({ path, summary }) => {
    const name = path.join(' ');
    return `* [${name}](#${path.join('-')})${summary === '' ? '' : `: ${summary}`}\n`;
  });
  const shared = commands.flatMap(({ options }) => options.filter(({ group }) => group === SHARED_GROUP));
  const once = [...new Map(shared.map((option) => [option.flags, option])).values()];
  return `${HEAD}${contents.join('')}\n${commands.map(section).join('\n')}\n## Datastore\n\n${optionList(once)}\n${DATASTORE}`;
}

const DATASTORE = `An option comes first, then calicoctl's settings file, and where there is none, the environment: as with calicoctl, the file
counts in place of the environment, as a whole. Each variable may also have the prefix \`CALICO_\`, and then comes first.

The file is a \`CalicoAPIConfig\` in YAML or JSON:

\`\`\`yaml
apiVersion: projectcalico.org/v3
kind: CalicoAPIConfig
metadata:
spec:
  datastoreType: etcdv3
  etcdEndpoints: https://10.0.0.1:2379,https://10.0.0.2:2379
  etcdCACertFile: /etc/calico/ca.pem    # or etcdCACert, etcdCert and etcdKey: the PEM texts themselves
  etcdCertFile: /etc/calico/cert.pem
  etcdKeyFile: /etc/calico/key.pem
  etcdUsername: operator
  etcdPassword: ...
\`\`\`
`;

function section(command: CommandDescription): string {
  const { path, description, usage, arguments: args, options, remarks } = command;
  const own = options.filter(({ group }) => group !== SHARED_GROUP);
  const argumentList = args.map(({ form, description: what, choices }) =>
    listItem(
      form,
      [what, choices.length > 0 ? `one of ${choices.join(', ')}` : ''].filter(Boolean).join(': '),
    ),
  );
  return [
    `## ${path.join(' ')}\n`,
    `${escaped(description)}\n`,
    `    ${usage}\n`,
    ...(argumentList.length > 0 ? [`${argumentList.join('')}`] : []),
    optionList(own),
    ...(own.length < options.length ? ['And options [about the datastore](#datastore).\n'] : []),
    ...remarkBlocks(remarks),
  ].join('\n');
}

function optionList(options: readonly OptionDescription[]): string {
  return options
    .map(({ flags, description, choices }) =>
      listItem(flags, [choices.join(', '), description].filter(Boolean).join(', ')),
    )
    .join('');
}

function listItem(term: string, text: string): string {
  return `* \`${term}\`${text === '' ? '' : `: ${escaped(text)}`}\n`;
}

/** Help says the same of users and passwords with each command; here it is in the last section. */
function remarkBlocks(remarks: string): readonly string[] {
  const own = remarks.replace(/^Where a settings file is read,[\s\S]*?environment\.\n*/m, '').trim();
  return own === '' ? [] : [`\`\`\`text\n${own}\n\`\`\`\n`];
}

/** Angle brackets would be tags. */
function escaped(text: string): string {
  return text.replaceAll('<', '\\<');
}

const nothing = async (): Promise<void> => undefined;

/** Commands are described, not run. */
const PRINTING_NOTHING: CommandWorld = {
  version: '',
  env: {},
  pid: 0,
  executable: '/opt/cni/bin/calico',
  clock: { nowNs: () => 0n, monotonicMs: () => 0, sleep: nothing },
  random: { bytes: (count) => new Uint8Array(count), uuid: () => '', fraction: () => 0 },
  interruption: { signal: () => undefined, listen: () => ({ [Symbol.dispose]: () => undefined }) },
  terminal: { isTerminal: false, columns: 100 },
  writeStdout: nothing,
  writeStderr: nothing,
  readStdin: async () => '',
  ask: async () => undefined,
};
