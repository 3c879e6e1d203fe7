/** What the program was asked to do by its name and its flags. Pure. */

import { parseArgs } from 'node:util';

export const PROGRAMS = ['calico', 'calico-ipam'] as const;
export type Program = (typeof PROGRAMS)[number];

export type Invocation =
  /** No flag: a CNI call, described by the environment. */
  | { readonly run: 'cni'; readonly program: Program }
  /** A command, by its first word. */
  | { readonly run: 'command'; readonly args: readonly string[] }
  | { readonly run: 'version' }
  | { readonly run: 'help'; readonly program: Program }
  | { readonly run: 'refuse'; readonly why: string; readonly program: Program };

const FLAGS = {
  v: { type: 'boolean', short: 'v' },
  t: { type: 'boolean', short: 't' },
  version: { type: 'boolean' },
  h: { type: 'boolean', short: 'h' },
  help: { type: 'boolean' },
} as const;

/** `name` is the last part of the path the executable was called by, `args` what follows it. */
export function readInvocation(name: string, args: readonly string[]): Invocation {
  // What Calico's image calls its installer, and manifests with it.
  if (name === 'install') return { run: 'command', args: ['install', ...args] };
  // A copy may be installed under any name; only the IPAM plugin's is special.
  const program: Program = name === 'calico-ipam' ? 'calico-ipam' : 'calico';
  const [command] = args;
  // Nearly always, and the parser takes 0.5 ms to load.
  if (command === undefined) return { run: 'cni', program };
  const wantsHelp = command === '-h' || command === '--help';
  if (program === 'calico' && (wantsHelp || !command.startsWith('-'))) return { run: 'command', args };
  try {
    const { values } = parseArgs({ args: [...args], options: FLAGS, allowPositionals: true });
    if (values.v || values.version) return { run: 'version' };
    if (values.h || values.help) return { run: 'help', program };
    // Calico's IPAM plugin has no such flag.
    if (values.t && program === 'calico') return { run: 'command', args: ['test-connection'] };
    if (values.t) return { run: 'refuse', why: "Unknown option '-t'", program };
    return { run: 'cni', program };
  } catch (error) {
    return { run: 'refuse', why: error instanceof Error ? error.message : String(error), program };
  }
}

/** Of the IPAM plugin; `calico` has commands, and with them a help of its own. */
export function usage(program: Program): string {
  return `Usage of ${program}:
  -h  print this help and exit
  -v  print the version and exit

Without a flag it is a CNI plugin: it reads CNI_COMMAND and its companions from the environment and the network
configuration from stdin, and is called by a container runtime. To try it by hand, use cnitool.
`;
}
