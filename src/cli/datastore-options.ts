/** Which datastore a command works on: options, then the environment, as calicoctl takes them. */

import type { Command } from 'commander';
import { type Deadline, deadlineIn } from '../base/deadline.ts';
import { datastoreConf } from '../config/datastore-conf.ts';
import { environmentDefaults } from '../config/environment-defaults.ts';
import { storeSettings } from '../config/store-settings.ts';
import { openStoreOf } from '../datastore/open-store.ts';
import type { Store } from '../datastore/store.ts';
import type { CommandWorld } from './command-world.ts';

export interface DatastoreOptions {
  readonly datastoreType?: string;
  readonly datastorePath?: string;
  readonly etcdEndpoints?: string;
  readonly etcdCaCertFile?: string;
  readonly etcdCertFile?: string;
  readonly etcdKeyFile?: string;
}

/** How long the DNS may take to say where etcd is. */
const DISCOVERY_MS = 10_000;

export function withDatastoreOptions(command: Command): Command {
  return command
    .optionsGroup('Datastore:')
    .option('--datastore-type <type>', 'etcdv3 or embedded (default: DATASTORE_TYPE, then etcdv3)')
    .option('--datastore-path <file>', 'of the embedded datastore (default: /var/lib/calico/embedded.db)')
    .option('--etcd-endpoints <urls>', 'comma-separated (default: ETCD_ENDPOINTS)')
    .option('--etcd-ca-cert-file <file>', 'CA of etcd (default: ETCD_CA_CERT_FILE)')
    .option('--etcd-cert-file <file>', 'client certificate (default: ETCD_CERT_FILE)')
    .option('--etcd-key-file <file>', 'its key (default: ETCD_KEY_FILE)')
    .addHelpText('after', '\nUser and password of etcd come from ETCD_USERNAME and ETCD_PASSWORD.');
}

/** Throws `config` when it cannot be told which, or its files cannot be used. */
export async function openDatastore(options: DatastoreOptions, world: CommandWorld): Promise<Store> {
  const conf = datastoreConf(
    {
      datastore_type: options.datastoreType,
      datastore_path: options.datastorePath,
      etcd_endpoints: options.etcdEndpoints,
      etcd_ca_cert_file: options.etcdCaCertFile,
      etcd_cert_file: options.etcdCertFile,
      etcd_key_file: options.etcdKeyFile,
    },
    environmentDefaults(world.env),
  );
  const { clock, random } = world;
  const deadline = commandDeadline(world, DISCOVERY_MS, 'the search for etcd');
  return openStoreOf(storeSettings(conf), { clock, deadline, random: random.fraction });
}

/** Opens, works, and closes whatever happens. */
export async function usingDatastore<T>(
  options: DatastoreOptions,
  world: CommandWorld,
  work: (store: Store) => Promise<T>,
): Promise<T> {
  const store = await openDatastore(options, world);
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}

export function commandDeadline(world: CommandWorld, budgetMs: number, what: string): Deadline {
  return deadlineIn(world.clock, budgetMs, what, world.interruption);
}
