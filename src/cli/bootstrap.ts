/** `calico bootstrap`: makes a datastore ready for its first pod. */

import { parseArgs } from 'node:util';
import { CalicoError, errorText } from '../base/calico-error.ts';
import { type Clock, deadlineIn } from '../base/deadline.ts';
import type { Random } from '../base/random.ts';
import { formatRfc3339 } from '../base/time.ts';
import { datastoreConf } from '../config/datastore-conf.ts';
import { environmentDefaults } from '../config/environment-defaults.ts';
import { NODENAME_FILE, readNodeName } from '../config/node-name.ts';
import { storeSettings } from '../config/store-settings.ts';
import { openStoreOf } from '../datastore/open-store.ts';
import { settle } from '../datastore/settle.ts';
import { parseNewPool } from '../ipam/new-pool.ts';
import {
  type BootstrapReport,
  type BootstrapRequest,
  bootstrapRanges,
  decideBootstrap,
} from './plan-bootstrap.ts';

/** What the command takes from outside itself. */
export interface CommandWorld {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly random: Random;
}

const BUDGET_MS = 15_000;

const BOOTSTRAP_USAGE = `Usage: calico bootstrap --pool CIDR [--pool CIDR …] [options]

Creates what a cluster needs before its first pod: the cluster's own record, the pools and this node. What is there
already is left alone, so it may be run again, and on every node.

  --pool CIDR              addresses for pods, e.g. 192.168.0.0/16; may be given for IPv4 and IPv6
  --block-size N           prefix length of the blocks that nodes take from the pool (26, for IPv6 122)
  --no-nat                 packets from pods leave the node with the pod's own address
  --node NAME              name of this node (default: what /var/lib/calico/nodename says, then the host's name)
  --datastore-type TYPE    etcdv3 or embedded (default: DATASTORE_TYPE, then etcdv3)
  --datastore-path FILE    file of the embedded datastore (default: /var/lib/calico/embedded.db)
  --etcd-endpoints URLS    comma-separated (default: ETCD_ENDPOINTS; ETCD_CA_CERT_FILE, ETCD_CERT_FILE,
                           ETCD_KEY_FILE, ETCD_USERNAME and ETCD_PASSWORD are read as well)
`;

const OPTIONS = {
  help: { type: 'boolean', short: 'h' },
  pool: { type: 'string', multiple: true },
  'block-size': { type: 'string' },
  'no-nat': { type: 'boolean' },
  node: { type: 'string' },
  'datastore-type': { type: 'string' },
  'datastore-path': { type: 'string' },
  'etcd-endpoints': { type: 'string' },
} as const;

/** Gives the text to print. Throws `config` for arguments that are wrong, else what the datastore throws. */
export async function bootstrap(args: readonly string[], world: CommandWorld): Promise<string> {
  const values = readOptions(args);
  if (values.help) return BOOTSTRAP_USAGE;
  const request = bootstrapRequest(values, world);
  const conf = datastoreConf(
    {
      datastore_type: values['datastore-type'],
      datastore_path: values['datastore-path'],
      etcd_endpoints: values['etcd-endpoints'],
    },
    environmentDefaults(world.env),
  );
  const store = await openStoreOf(storeSettings(conf), world.clock, world.random.fraction);
  try {
    return report(
      await settle({
        store,
        ranges: bootstrapRanges(request),
        decide: (view) => decideBootstrap(request, view),
        deadline: deadlineIn(world.clock, BUDGET_MS, 'bootstrap'),
        clock: world.clock,
        random: world.random.fraction,
      }),
    );
  } finally {
    await store.close();
  }
}

type Values = ReturnType<typeof readOptions>;

function readOptions(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS }).values;
  } catch (error) {
    throw new CalicoError('config', errorText(error), { details: BOOTSTRAP_USAGE });
  }
}

function bootstrapRequest(values: Values, { clock, random }: CommandWorld): BootstrapRequest {
  if (values.pool === undefined) {
    throw new CalicoError('config', 'at least one --pool is needed', { details: BOOTSTRAP_USAGE });
  }
  const blockSize = readBlockSize(values['block-size']);
  return {
    nodeName: readNodeName({
      nodename: values.node,
      nodenameFile: NODENAME_FILE,
      nodenameFileOptional: true,
      hostname: undefined,
    }),
    pools: values.pool.map((pool) => parseNewPool(pool, blockSize, values['no-nat'] !== true)),
    uuid: random.uuid,
    now: formatRfc3339(clock.nowNs()),
  };
}

function readBlockSize(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
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
