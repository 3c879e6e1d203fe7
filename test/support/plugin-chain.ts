/** A network configuration with several plugins, run as the CNI library runs one; cnitool does the same, one by one. */

import { join } from 'node:path';
import { EXECUTABLE_FOLDER } from './executable.ts';
import { run } from './run.ts';
import { type Answer, type CniTestCall, type SimulatedNode, succeeded } from './simulated-node.ts';
import { REFERENCE_PLUGINS } from './tools.ts';

/** Only what tests look at. */
export interface ChainResult {
  readonly interfaces: readonly { readonly name: string }[];
  readonly ips: readonly { readonly address: string }[];
}

export interface ChainedPlugin {
  readonly type: string;
  readonly [key: string]: unknown;
}

/** ADD of `calico`, then of each other plugin on the result of the one before; gives the last result. */
export async function addChain(
  node: SimulatedNode,
  call: CniTestCall,
  others: readonly ChainedPlugin[] = [],
): Promise<ChainResult> {
  const { cniVersion, name } = { ...node.conf(call.conf) } as { cniVersion: string; name: string };
  let result: ChainResult = succeeded(await node.cni('ADD', call)).json;
  for (const plugin of others) {
    const stdin = JSON.stringify({ ...plugin, cniVersion, name, prevResult: result });
    const env = {
      CNI_COMMAND: 'ADD',
      CNI_CONTAINERID: call.containerId,
      CNI_NETNS: call.netns ?? '',
      CNI_IFNAME: call.ifName ?? 'eth0',
      CNI_PATH: `${EXECUTABLE_FOLDER}:${REFERENCE_PLUGINS}`,
    };
    const { stdout, exitCode } = await run([join(REFERENCE_PLUGINS, plugin.type)], {
      env,
      stdin,
      netns: node.host.name,
    });
    if (exitCode !== 0) throw new Error(`${plugin.type}: ${stdout}`);
    result = JSON.parse(stdout);
  }
  return result;
}

/** CHECK of `calico` with the result of the whole chain. */
export function checkWith(node: SimulatedNode, call: CniTestCall, prevResult: object): Promise<Answer> {
  return node.cni('CHECK', { ...call, conf: { ...call.conf, prevResult } });
}
