/** cnitool, the reference runtime of the CNI project, on our executable and the reference plugins. */

import { EXECUTABLE_FOLDER } from './executable.ts';
import { type Finished, run } from './run.ts';
import { REFERENCE_PLUGINS, requireTool } from './tools.ts';

export interface CnitoolCall {
  /** Folder with the conflists (`NETCONFPATH`). */
  readonly confFolder: string;
  /** Name of the network in one of them. */
  readonly network: string;
  /** Path of the pod's network namespace. */
  readonly netnsPath: string;
  /** Name of the network namespace that plays the host; without it, the caller's own. */
  readonly host?: string;
  /** Interface inside the pod; cnitool's own default is `eth0`. */
  readonly ifName?: string;
  /** CNI_ARGS: `K8S_POD_NAME=web;…`. */
  readonly args?: string;
  /** Capability arguments as JSON: `{"portMappings": […]}`. */
  readonly capabilityArgs?: object;
}

export type CnitoolCommand = 'add' | 'check' | 'del' | 'gc' | 'status';

/** Runs one cnitool command. It prints a result on success and `error: …`-like text on failure. */
export function cnitool(command: CnitoolCommand, call: CnitoolCall): Promise<Finished> {
  const env = {
    NETCONFPATH: call.confFolder,
    CNI_PATH: `${EXECUTABLE_FOLDER}:${REFERENCE_PLUGINS}`,
    ...(call.ifName === undefined ? {} : { CNI_IFNAME: call.ifName }),
    ...(call.args === undefined ? {} : { CNI_ARGS: call.args }),
    ...(call.capabilityArgs === undefined ? {} : { CAP_ARGS: JSON.stringify(call.capabilityArgs) }),
  };
  return run([requireTool('cnitool'), command, call.network, call.netnsPath], {
    env,
    ...(call.host === undefined ? {} : { netns: call.host }),
  });
}
