/**
 * Runs one CNI call: reads the parameters, checks them in the order in which Calico's plugin does, calls the
 * verb, prints its result or the error. All that touches the process comes in as a port, so that the whole
 * protocol can be tested without one.
 */

import { CalicoError, errorText, isCalicoError } from '../base/calico-error.ts';
import {
  type CniArgs,
  type CniCommand,
  type Environment,
  isCniCommand,
  readEnvironment,
} from './environment.ts';
import { formatError } from './error.ts';
import { decodeNetConf, type NetConfBytes } from './net-conf-bytes.ts';
import type { CniResult } from './result.ts';
import { formatResult } from './result-versions.ts';
import {
  type CniVersion,
  compareVersions,
  formatVersionOutput,
  isSupportedVersion,
  NEWEST_VERSION,
  requireSupportedVersion,
  SUPPORTED_VERSIONS,
} from './version.ts';

/** What the dispatcher needs of its process. */
export interface ProcessPort {
  readonly env: Readonly<Environment>;
  /** All of stdin; rejects when it cannot be read or is too long. Not called for VERSION. */
  readStdin(): Promise<string>;
  /** Called at most once. */
  writeStdout(text: string): Promise<void>;
  writeStderr(text: string): Promise<void>;
}

/** One call, with everything the protocol can say about it already checked. */
export interface CniCall extends CniArgs {
  readonly command: CniCommand;
  readonly conf: NetConfBytes;
}

/** Only ADD has a result. What a verb throws becomes the error object, see `error.ts`. */
export type CniHandler = (call: CniCall) => Promise<CniResult | undefined>;

export interface CniPlugin {
  /** First line on stderr when a person starts the program without CNI_COMMAND. */
  readonly about: string;
  readonly add: CniHandler;
  readonly del: CniHandler;
  readonly check?: CniHandler;
  readonly status?: CniHandler;
  readonly gc?: CniHandler;
  /** Runs before ADD and DEL and stops them by throwing: no work is done in the plugin's own namespace. */
  readonly guard?: (call: CniCall) => Promise<void>;
}

/** Answers one call and returns the exit code. Never throws; prints at most one JSON document on stdout. */
export async function dispatch(port: ProcessPort, plugin: CniPlugin): Promise<0 | 1> {
  const outcome = port.env.CNI_COMMAND ? await answer(port, plugin) : introduction(plugin);
  try {
    if (outcome.stderr !== undefined) await port.writeStderr(outcome.stderr);
    if (outcome.stdout !== undefined) await port.writeStdout(outcome.stdout);
    return outcome.exitCode;
  } catch {
    // Whoever should have read this is gone; saying so would be the second document on stdout.
    return 1;
  }
}

interface Outcome {
  readonly exitCode: 0 | 1;
  readonly stdout?: string | undefined;
  readonly stderr?: string;
}

/** Started by hand, not by a runtime. */
function introduction({ about }: CniPlugin): Outcome {
  const versions = SUPPORTED_VERSIONS.join(', ');
  return { exitCode: 0, stderr: `${about}\nCNI protocol versions supported: ${versions}\n` };
}

async function answer(port: ProcessPort, plugin: CniPlugin): Promise<Outcome> {
  try {
    const args = readEnvironment(port.env);
    if (args.command === 'VERSION') return { exitCode: 0, stdout: formatVersionOutput() };
    const conf = decodeNetConf(await readStdin(port));
    return await answerConf(args, conf, plugin);
  } catch (error) {
    return failure(error, NEWEST_VERSION);
  }
}

/** From here on the configuration's version is known, and errors carry it. */
async function answerConf(args: CniArgs, conf: NetConfBytes, plugin: CniPlugin): Promise<Outcome> {
  try {
    return { exitCode: 0, stdout: await call(args, conf, plugin) };
  } catch (error) {
    return failure(error, isSupportedVersion(conf.cniVersion) ? conf.cniVersion : NEWEST_VERSION);
  }
}

async function call(args: CniArgs, conf: NetConfBytes, plugin: CniPlugin): Promise<string | undefined> {
  const { command } = args;
  if (!isCniCommand(command)) throw new CalicoError('environment', `unknown CNI_COMMAND: ${command}`);
  const handler = handlerOf(command, conf, plugin);
  const cniCall: CniCall = { ...args, command, conf };
  if (command === 'ADD' || command === 'DEL') await plugin.guard?.(cniCall);
  const result = await handler(cniCall);
  return command === 'ADD' ? printableResult(result, conf) : undefined;
}

/** The handler of a command, once the configuration's version is known to allow the command. */
function handlerOf(command: CniCommand, conf: NetConfBytes, plugin: CniPlugin): CniHandler {
  const handler = optionalHandlerOf(command, plugin);
  checkVersion(command, conf.cniVersion, handler !== undefined);
  if (handler === undefined) throw new CalicoError('internal', `${command} has no handler`);
  return handler;
}

function optionalHandlerOf(command: CniCommand, plugin: CniPlugin): CniHandler | undefined {
  switch (command) {
    case 'ADD':
      return plugin.add;
    case 'DEL':
      return plugin.del;
    case 'CHECK':
      return plugin.check;
    case 'STATUS':
      return plugin.status;
    case 'GC':
      return plugin.gc;
    case 'VERSION':
      return undefined;
  }
}

/** The version each later command came with. */
const INTRODUCED_IN: Partial<Readonly<Record<CniCommand, CniVersion>>> = {
  CHECK: '0.4.0',
  STATUS: '1.1.0',
  GC: '1.1.0',
};

/**
 * Throws `version` unless both the configuration's version and we know the command. A plugin without a handler
 * is one whose versions do not have the command: code 1 `plugin version does not allow GC`, as Calico's answers
 * today, and not code 4, which is for commands that do not exist. Runtimes and main plugins take either for "not
 * implemented".
 */
function checkVersion(command: CniCommand, version: string, hasHandler: boolean): void {
  const since = INTRODUCED_IN[command];
  if (since !== undefined && compareVersions(version, since) < 0) {
    throw new CalicoError('version', `config version does not allow ${command}`);
  }
  if (since !== undefined && (!hasHandler || compareVersions(NEWEST_VERSION, version) < 0)) {
    throw new CalicoError('version', `plugin version does not allow ${command}`);
  }
  requireSupportedVersion(version);
}

function printableResult(result: CniResult | undefined, conf: NetConfBytes): string {
  if (result === undefined) throw new CalicoError('internal', 'ADD ended without a result');
  return formatResult(result, requireSupportedVersion(conf.resultVersion));
}

async function readStdin(port: ProcessPort): Promise<string> {
  try {
    return await port.readStdin();
  } catch (cause) {
    if (isCalicoError(cause, 'unavailable')) throw cause;
    throw new CalicoError('input', `error reading from stdin: ${errorText(cause)}`, { cause });
  }
}

/** What has no kind is a mistake of ours: its stack goes to stderr, where the runtime's log keeps it. */
function failure(error: unknown, cniVersion: CniVersion): Outcome {
  const outcome = { exitCode: 1, stdout: formatError(error, cniVersion) } as const;
  if (isCalicoError(error) || !(error instanceof Error)) return outcome;
  return { ...outcome, stderr: `${error.stack ?? error.message}\n` };
}
