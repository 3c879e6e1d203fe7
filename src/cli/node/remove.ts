/** `calico node remove`: the host as it was before an agent ran there. */

import { Command } from 'commander';
import { CalicoError } from '../../base/calico-error.ts';
import { MTU_FILE } from '../../config/mtu-file.ts';
import { NODENAME_FILE } from '../../config/node-name.ts';
import { FELIX_RUNS } from '../../node/desired/hold-back.ts';
import { findOtherAgents } from '../../node/kernel/surroundings.ts';
import { becomeOnlyAgent } from '../../node/registration/only-agent.ts';
import { requireRights } from '../../node/registration/require-rights.ts';
import { removeFromHost } from '../../node/removal/remove-from-host.ts';
import type { CommandWorld } from '../command-world.ts';
import { socketOf, socketOption } from './socket.ts';

interface RemoveOptions {
  readonly dryRun?: boolean;
  readonly felixRoutes?: boolean;
  readonly nodenameFile?: string;
  readonly socket?: string;
}

export function removeCommand(world: CommandWorld): Command {
  return new Command('remove')
    .summary('take from this host what its agent has made there')
    .description(
      'Removes the routes, the tunnels, the table of nftables and the files that an agent has made on this host, as commands that it prints. Pods here then reach no other host, and none can be started: drain the node, and stop the agent, before. Refused while an agent or Felix runs. Interfaces and routes of pods stay, and so do net.ipv4.ip_forward and all records in etcd.',
    )
    .option('--dry-run', 'say what would be done, and do nothing')
    .option('--felix-routes', 'also routes that a Felix has left which has ended (protocol 80)')
    .option(
      '--nodename-file <file>',
      'where plugins find the name of the node (default: CALICO_NODENAME_FILE)',
    )
    .addOption(socketOption())
    .action((options: RemoveOptions) => run(options, world));
}

async function run(options: RemoveOptions, world: CommandWorld): Promise<void> {
  requireRights();
  using _only = await becomeOnlyAgent();
  if (findOtherAgents().isFelixRunning) throw besideFelix();
  const nodenameFile = options.nodenameFile ?? (world.env.CALICO_NODENAME_FILE?.trim() || NODENAME_FILE);
  const { done, failures } = removeFromHost({
    isDryRun: options.dryRun === true,
    takesFelixRoutes: options.felixRoutes === true,
    // Without the first no plugin starts a pod.
    files: [nodenameFile, MTU_FILE, socketOf(options, world.env)],
  });
  const nothing = 'there is nothing of an agent on this host';
  await world.writeStdout(
    (done.length === 0 && failures.length === 0 ? [nothing] : done).map(toLine).join(''),
  );
  if (failures.length > 0)
    throw new CalicoError('network', `${failures.length} of the steps failed, the others are done`, {
      details: failures.join('; '),
    });
}

function besideFelix(): CalicoError {
  return new CalicoError('conflict', FELIX_RUNS, { details: 'its tunnels and routes have the same names' });
}

function toLine(text: string): string {
  return `${text}\n`;
}
