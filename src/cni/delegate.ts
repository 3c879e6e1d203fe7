/** Delegation: another plugin does a part of our work (CNI 1.1 §Plugin Delegation). */

import { type BigIntStats, statSync } from 'node:fs';
import { join } from 'node:path';
import { CalicoError, errorText } from '../base/calico-error.ts';
import type { Deadline } from '../base/deadline.ts';
import { lenientArgs } from './args.ts';
import type { CniCommand, Environment } from './environment.ts';
import { CODE_OF_KIND, UNKNOWN_CONTAINER } from './error.ts';
import { parseResult } from './parse-result.ts';
import type { CniResult } from './result.ts';
import { DelegateError, runDelegate } from './run-delegate.ts';

/** A plugin to run, and what it gets. */
export interface Delegate {
  /** The executable, see {@link findPlugin}. */
  readonly path: string;
  /** The network configuration, as it came in on our stdin. */
  readonly stdin: string;
  /** The version of a result that does not say its own: the configuration's. */
  readonly cniVersion: string;
  /** Our own environment; CNI_COMMAND and CNI_ARGS are replaced. */
  readonly env: Environment;
  /** CNI_ARGS as they came in. Like Calico, we let the delegate ignore keys it does not know. */
  readonly args: string;
  readonly writeStderr: (text: string) => void;
}

/** The executable of that name in the first directory that has one. Throws `config` or `delegate`. */
export function findPlugin(name: string, directories: readonly string[]): string {
  if (name === '') {
    throw new CalicoError('config', 'no plugin name provided', {
      details: 'set ipam.type in the network configuration',
    });
  }
  if (name.includes('/')) throw new CalicoError('config', `invalid plugin name: ${name}`);
  const found = directories.map((directory) => join(directory, name)).find(isRegularFile);
  if (found !== undefined) return found;
  throw new CalicoError(
    'delegate',
    `failed to find plugin ${JSON.stringify(name)} in path [${directories.join(' ')}]`,
    { details: 'install the plugin there, or correct ipam.type or CNI_PATH' },
  );
}

function isRegularFile(path: string): boolean {
  return tryStat(path)?.isFile() ?? false;
}

/** Whether the file is the program that runs now, be it by another name, a hard link or a symbolic one. */
export function isSameExecutable(path: string, self = '/proc/self/exe'): boolean {
  const [file, own] = [tryStat(path), tryStat(self)];
  return file !== undefined && own !== undefined && file.dev === own.dev && file.ino === own.ino;
}

/** A file that cannot be looked at is like one that is not there. */
function tryStat(path: string): BigIntStats | undefined {
  try {
    return statSync(path, { bigint: true });
  } catch {
    return undefined;
  }
}

/**
 * Runs ADD. When it fails, DEL follows with a budget of its own, because a plugin that failed may have done a
 * part of its work (CNI 1.1 §Plugin Delegation); a failure of that DEL is only logged. Throws the plugin's own
 * {@link DelegateError}, `unavailable` at the deadline, `delegate` when the result cannot be understood.
 */
export async function delegateAdd(
  delegate: Delegate,
  deadline: Deadline,
  cleanupDeadline: () => Deadline,
): Promise<CniResult> {
  try {
    return decodeResult(delegate, await runCommand(delegate, 'ADD', deadline));
  } catch (error) {
    await delegateDel(delegate, cleanupDeadline()).catch((second: unknown) =>
      delegate.writeStderr(
        `DEL by ${delegate.path} after its failed ADD failed, too: ${errorText(second)}\n`,
      ),
    );
    throw error;
  }
}

/** Runs DEL. Throws as {@link delegateAdd}. */
export async function delegateDel(delegate: Delegate, deadline: Deadline): Promise<void> {
  await runCommand(delegate, 'DEL', deadline);
}

/** Runs CHECK; a plugin that has no CHECK has found nothing wrong. Throws as {@link delegateAdd}. */
export async function delegateCheck(delegate: Delegate, deadline: Deadline): Promise<void> {
  await runOptionalCommand(delegate, 'CHECK', deadline);
}

/** Runs STATUS; a plugin that has no STATUS is ready. Throws as {@link delegateAdd}. */
export async function delegateStatus(delegate: Delegate, deadline: Deadline): Promise<void> {
  await runOptionalCommand(delegate, 'STATUS', deadline);
}

/** Runs GC; a plugin that has no GC has nothing to collect. Throws as {@link delegateAdd}. */
export async function delegateGc(delegate: Delegate, deadline: Deadline): Promise<void> {
  await runOptionalCommand(delegate, 'GC', deadline);
}

async function runOptionalCommand(
  delegate: Delegate,
  command: CniCommand,
  deadline: Deadline,
): Promise<void> {
  try {
    await runCommand(delegate, command, deadline);
  } catch (error) {
    if (!isNotImplemented(error, command)) throw error;
  }
}

/**
 * How the Go library answers for a plugin without the command: code 1, or 4 from a version that never heard of it. That one
 * looks for container and interface first, which some commands do not have.
 */
function isNotImplemented(error: unknown, command: CniCommand): boolean {
  if (!(error instanceof DelegateError)) return false;
  const { code, message } = error;
  return (
    (code === CODE_OF_KIND.version && message.endsWith(`version does not allow ${command}`)) ||
    (code === CODE_OF_KIND.environment && message === `unknown CNI_COMMAND: ${command}`) ||
    ((command === 'STATUS' || command === 'GC') &&
      ((code === UNKNOWN_CONTAINER && message === 'missing containerID') ||
        (code === CODE_OF_KIND.environment && message === 'interface name is empty')))
  );
}

function runCommand(delegate: Delegate, command: CniCommand, deadline: Deadline): Promise<string> {
  const { path, stdin, args, writeStderr } = delegate;
  const env = { ...delegate.env, CNI_ARGS: lenientArgs(args) };
  return runDelegate({ path, command, stdin, env, deadline, writeStderr });
}

function decodeResult({ path, cniVersion }: Delegate, stdout: string): CniResult {
  try {
    return parseResult(JSON.parse(stdout), cniVersion);
  } catch (cause) {
    throw new CalicoError('delegate', `cannot understand the result of ${path}: ${errorText(cause)}`, {
      cause,
    });
  }
}
