/** `calico bootstrap`: makes a datastore ready for its first pod. */

import { Command } from 'commander';
import { CalicoError } from '../base/calico-error.ts';
import { formatRfc3339 } from '../base/time.ts';
import { NODENAME_FILE, readNodeName } from '../config/node-name.ts';
import { settle } from '../datastore/settle.ts';
import { parseNewPool } from '../ipam/new-pool.ts';
import type { CommandWorld } from './command-world.ts';
import {
  commandDeadline,
  type DatastoreOptions,
  usingDatastore,
  withDatastoreOptions,
} from './datastore-options.ts';
import { examplesText } from './help-text.ts';
import {
  type BootstrapReport,
  type BootstrapRequest,
  bootstrapRanges,
  decideBootstrap,
} from './plan-bootstrap.ts';

const BUDGET_MS = 15_000;

interface BootstrapOptions extends DatastoreOptions {
  readonly pool: readonly string[];
  readonly blockSize?: number;
  /** commander's form of `--no-nat`. */
  readonly nat: boolean;
  readonly node?: string;
}

export function bootstrapCommand(world: CommandWorld): Command {
  const command = new Command('bootstrap')
    .summary('make a datastore ready for its first pod')
    .description(
      "Creates what a cluster needs before its first pod: the cluster's own record, the pools and this node. What is there already is left alone, so it may be run again, and on every node.",
    )
    .requiredOption('--pool <cidr...>', 'addresses for pods: 192.168.0.0/16, fd00::/48, …')
    .option(
      '--block-size <n>',
      'prefix length of the blocks that nodes take from the pool (default: 26, for IPv6 122)',
      readBlockSize,
    )
    .option('--no-nat', "packets from pods leave the node with the pod's own address")
    .option(
      '--node <name>',
      "name of this node (default: what /var/lib/calico/nodename says, then the host's name)",
    );
  return withDatastoreOptions(command)
    .addHelpText(
      'after',
      examplesText([
        ['One node without etcd', 'calico bootstrap --pool 192.168.0.0/16 --datastore-type embedded'],
        [
          'A cluster of both families, from any of its nodes',
          'calico bootstrap --pool 10.244.0.0/16 fd00:10:244::/48 --etcd-endpoints http://10.0.0.1:2379',
        ],
      ]),
    )
    .action(async (options: BootstrapOptions) => {
      await world.writeStdout(report(await bootstrap(options, world)));
    });
}

/** Throws `config` for values that are wrong, else what the datastore throws. */
async function bootstrap(options: BootstrapOptions, world: CommandWorld): Promise<BootstrapReport> {
  const request = bootstrapRequest(options, world);
  return usingDatastore(options, world, (store) =>
    settle({
      store,
      ranges: bootstrapRanges(request),
      decide: (view) => decideBootstrap(request, view),
      deadline: commandDeadline(world, BUDGET_MS, 'bootstrap'),
      clock: world.clock,
      random: world.random.fraction,
    }),
  );
}

function bootstrapRequest(
  { pool, blockSize, nat, node }: BootstrapOptions,
  { clock, random }: CommandWorld,
): BootstrapRequest {
  return {
    nodeName: readNodeName({
      nodename: node,
      nodenameFile: NODENAME_FILE,
      nodenameFileOptional: true,
      hostname: undefined,
    }),
    pools: pool.map((cidr) => parseNewPool(cidr, blockSize, nat)),
    uuid: random.uuid,
    now: formatRfc3339(clock.nowNs()),
  };
}

function readBlockSize(text: string): number {
  if (/^\d{1,3}$/.test(text)) return Number(text);
  throw new CalicoError(
    'config',
    `invalid --block-size ${JSON.stringify(text)}: it must be a prefix length, such as 26`,
  );
}

function report({ created, found }: BootstrapReport): string {
  return [...created.map((what) => `created ${what}\n`), ...found.map((what) => `found   ${what}\n`)].join(
    '',
  );
}
