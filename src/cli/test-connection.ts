/** `calico test-connection`, which is what `calico -t` does: whether pods could get a network with a configuration. */

import { Command } from 'commander';
import { cniErrorOf } from '../cni/error.ts';
import { askConnections } from './ask-connections.ts';
import type { CommandWorld, ExitCode } from './command-world.ts';

/** Code and words of Calico's plugin. */
const FAILED = { code: 100, msg: 'data store connection failed' };

export function testConnectionCommand(world: CommandWorld, exit: (code: ExitCode) => void): Command {
  return new Command('test-connection')
    .summary('test whether a network configuration leads to a datastore (also: calico -t)')
    .description(
      'Reads the configuration of one plugin from stdin, as a runtime hands it over, and asks the datastore and, where it names a kubeconfig, the Kubernetes API. Says nothing when both answer and are ready; else prints a CNI error with code 100, and ends with 1.',
    )
    .action(async () => {
      try {
        const netConf = await world.readStdin();
        await askConnections({ netConf, env: world.env, pathOf: (path) => path, api: undefined }, world);
      } catch (error) {
        const { msg, details } = cniErrorOf(error);
        const told = { ...FAILED, details: [msg, details].filter(Boolean).join(': ') };
        await world.writeStdout(JSON.stringify(told, null, 4));
        exit(1);
      }
    });
}
