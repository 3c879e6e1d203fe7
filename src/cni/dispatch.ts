/**
 * Runs one CNI call: reads the parameters, checks them in the order in which Calico's plugin does, calls the
 * verb, prints its result or the error. All that touches the process comes in as a port, so that the whole
 * protocol can be tested without one.
 */

import { CalicoError, errorText, isCalicoError } from '../base/calico-error.ts';
import { type CniArgs, type CniCommand, type Environment, isCniCommand, readEnvironment } from './environment.ts';
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
  if (!port.env.CNI_COMMAND) return introduce(port, plugin);
  let errorVersion: CniVersion = NEWEST_VERSION;
  const onConf = (conf: NetConfBytes) => {
    if (isSupportedVersion(conf.cniVersion)) errorVersion = conf.cniVersion;
  };
  try {
    const output = await answer(port, plugin, onConf);
    if (output !== undefined) await port.writeStdout(output);
    return 0;
  } catch (error) {
    return fail(port, error, errorVersion);
  }
}
