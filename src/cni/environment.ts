/** The CNI environment variables: which command needs which, and what they may hold (CNI 1.1 §Parameters). Pure. */

import { CalicoError } from '../base/calico-error.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

const CNI_COMMANDS = ['ADD', 'DEL', 'CHECK', 'STATUS', 'GC', 'VERSION'] as const;
export type CniCommand = (typeof CNI_COMMANDS)[number];

/** The parameters of one call. Those the command has no use for are empty. */
export interface CniArgs {
  /** As the runtime wrote it; {@link isCniCommand} tells whether there is such a command. */
  readonly command: string;
  readonly containerId: string;
  /** Empty on a DEL whose namespace is already gone. */
  readonly netnsPath: string;
  readonly ifName: string;
  /** CNI_ARGS, not yet parsed. */
  readonly args: string;
  /** Directories of CNI_PATH, in order; empty ones are left out. */
  readonly path: readonly string[];
  /** The runtime allows a CNI_NETNS that is the plugin's own namespace. */
  readonly netnsOverride: boolean;
}

export function isCniCommand(text: string): text is CniCommand {
  return CNI_COMMANDS.some((command) => command === text);
}

interface Variable {
  readonly name: string;
  readonly requiredBy: readonly CniCommand[];
  /** Throws when the value is not allowed. Applied where the variable is required. */
  readonly validate?: (value: string) => void;
}

/** In the order in which Calico's plugin reads them, hence the order in which missing ones are listed. */
export const CNI_VARIABLES: readonly Variable[] = [
  { name: 'CNI_COMMAND', requiredBy: CNI_COMMANDS },
  { name: 'CNI_CONTAINERID', requiredBy: ['ADD', 'CHECK', 'DEL'], validate: validateContainerId },
  { name: 'CNI_NETNS', requiredBy: ['ADD', 'CHECK'] },
  { name: 'CNI_IFNAME', requiredBy: ['ADD', 'CHECK', 'DEL'], validate: validateInterfaceName },
  { name: 'CNI_ARGS', requiredBy: [] },
  { name: 'CNI_PATH', requiredBy: ['ADD', 'CHECK', 'DEL', 'STATUS', 'GC'] },
  { name: 'CNI_NETNS_OVERRIDE', requiredBy: [] },
];

/**
 * Reads the parameters. The first wrong value is the error; without one, all that is missing. An empty variable
 * is a missing one. Throws `environment`.
 */
export function readEnvironment(env: Environment): CniArgs {
  const command = env.CNI_COMMAND ?? '';
  const required = CNI_VARIABLES.filter((variable) => isRequired(variable, command));
  for (const { name, validate } of required) if (env[name]) validate?.(env[name]);
  const missing = required.filter(({ name }) => !env[name]);
  if (missing.length > 0) {
    const names = missing.map(({ name }) => name).join(',');
    throw new CalicoError('environment', `required env variables [${names}] missing`);
  }
  return {
    command,
    containerId: env.CNI_CONTAINERID ?? '',
    netnsPath: env.CNI_NETNS ?? '',
    ifName: env.CNI_IFNAME ?? '',
    args: env.CNI_ARGS ?? '',
    path: (env.CNI_PATH ?? '').split(':').filter((directory) => directory !== ''),
    netnsOverride: /^(1|true)$/i.test(env.CNI_NETNS_OVERRIDE ?? ''),
  };
}

/** An unknown command needs CNI_COMMAND only: that it is unknown is said after stdin has been looked at. */
function isRequired({ name, requiredBy }: Variable, command: string): boolean {
  return name === 'CNI_COMMAND' || requiredBy.some((needing) => needing === command);
}

const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/;

/** Container ID and network name share their alphabet (CNI 1.1 §Parameters). */
export function isCniName(text: string): boolean {
  return NAME.test(text);
}

function validateContainerId(value: string): void {
  if (isCniName(value)) return;
  throw new CalicoError('environment', 'invalid characters in containerID', { details: value });
}

const MAX_INTERFACE_NAME_BYTES = 15;

function validateInterfaceName(value: string): void {
  if (new TextEncoder().encode(value).length > MAX_INTERFACE_NAME_BYTES) {
    throw new CalicoError('environment', 'interface name is too long', {
      details: `interface name should be less than ${MAX_INTERFACE_NAME_BYTES + 1} characters`,
    });
  }
  if (value === '.' || value === '..') {
    throw new CalicoError('environment', 'interface name is . or ..');
  }
  // /\p{White_Space}/u, which takes 0.4 ms to compile.
  if (/[/:\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/.test(value)) {
    throw new CalicoError('environment', 'interface name contains / or : or whitespace characters');
  }
}
