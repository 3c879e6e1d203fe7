/**
 * Which datastore a command works on. As with calicoctl, the settings file counts in place of the environment, as a
 * whole: so an option comes first, then the file (`--config`, else the usual one if it is there), and where there is
 * none, the environment.
 */

import type { Command } from 'commander';
import { CalicoError } from '../base/calico-error.ts';
import { type Deadline, deadlineIn } from '../base/deadline.ts';
import { datastoreConf } from '../config/datastore-conf.ts';
import { environmentDefaults } from '../config/environment-defaults.ts';
import { storeSettings } from '../config/store-settings.ts';
import { openStoreOf, type StoreSettings } from '../datastore/open-store.ts';
import type { Store } from '../datastore/store.ts';
import type { CommandWorld } from './command-world.ts';
import { DEFAULT_CONFIG_FILE, type FileSettings, readConfigFile } from './config-file.ts';

export interface DatastoreOptions {
  readonly config?: string;
  readonly datastoreType?: string;
  readonly datastorePath?: string;
  readonly etcdEndpoints?: string;
  readonly etcdDiscoverySrv?: string;
  readonly etcdCaCertFile?: string;
  readonly etcdCertFile?: string;
  readonly etcdKeyFile?: string;
}

/** How long the DNS may take to say where etcd is. */
const DISCOVERY_MS = 10_000;

export function withDatastoreOptions(command: Command): Command {
  return command
    .optionsGroup('Datastore:')
    .option('-c, --config <file>', `settings of calicoctl (default: ${DEFAULT_CONFIG_FILE}, if it is there)`)
    .option('--datastore-type <type>', 'etcdv3 or embedded (default: DATASTORE_TYPE, then etcdv3)')
    .option('--datastore-path <file>', 'of the embedded datastore (default: /var/lib/calico/embedded.db)')
    .option('--etcd-endpoints <urls>', 'comma-separated (default: ETCD_ENDPOINTS)')
    .option('--etcd-discovery-srv <domain>', 'whose SRV records name them (default: ETCD_DISCOVERY_SRV)')
    .option('--etcd-ca-cert-file <file>', 'CA of etcd (default: ETCD_CA_CERT_FILE)')
    .option('--etcd-cert-file <file>', 'client certificate (default: ETCD_CERT_FILE)')
    .option('--etcd-key-file <file>', 'its key (default: ETCD_KEY_FILE)')
    .addHelpText(
      'after',
      `
Where a settings file is read, the environment is not. User and password of etcd are only taken from there:
etcdUsername and etcdPassword in the file, ETCD_USERNAME and ETCD_PASSWORD in the environment.`,
    );
}

/** Throws `config` when it cannot be told which, or its files cannot be used. */
export async function openDatastore(options: DatastoreOptions, world: CommandWorld): Promise<Store> {
  const settings = datastoreSettings(options, readConfigFile(options.config), world.env);
  const { clock, random } = world;
  const deadline = commandDeadline(world, DISCOVERY_MS, 'the search for etcd');
  return openStoreOf(settings, { clock, deadline, random: random.fraction });
}

/** What the options, the file if there is one, and else the environment say. Throws `config`. */
export function datastoreSettings(
  options: DatastoreOptions,
  file: FileSettings | undefined,
  env: CommandWorld['env'],
): StoreSettings {
  const defaults = file?.defaults ?? environmentDefaults(env);
  // An option that says where etcd is replaces the other way to say so.
  const etcdEndpoints = options.etcdDiscoverySrv === undefined ? defaults.etcdEndpoints : undefined;
  const etcdDiscoverySrv = options.etcdEndpoints === undefined ? defaults.etcdDiscoverySrv : undefined;
  const type = options.datastoreType || defaults.datastoreType || 'etcdv3';
  if (
    type === 'etcdv3' &&
    !(options.etcdEndpoints || options.etcdDiscoverySrv || etcdEndpoints || etcdDiscoverySrv)
  )
    throw noEndpoints();
  const conf = datastoreConf(
    {
      datastore_type: options.datastoreType,
      datastore_path: options.datastorePath ?? file?.datastorePath,
      etcd_endpoints: options.etcdEndpoints,
      etcd_discovery_srv: options.etcdDiscoverySrv,
      etcd_ca_cert_file: options.etcdCaCertFile,
      etcd_cert_file: options.etcdCertFile,
      etcd_key_file: options.etcdKeyFile,
    },
    { ...defaults, etcdEndpoints, etcdDiscoverySrv },
  );
  const settings = storeSettings(conf);
  const hasFileOption = options.etcdCaCertFile ?? options.etcdCertFile ?? options.etcdKeyFile;
  return settings.type === 'etcdv3' && hasFileOption === undefined
    ? { ...settings, pem: file?.pem }
    : settings;
}

function noEndpoints(): CalicoError {
  return new CalicoError('config', 'no etcd endpoints specified', {
    details: `Give --etcd-endpoints, set ETCD_ENDPOINTS, or write etcdEndpoints into ${DEFAULT_CONFIG_FILE}. A node without etcd: --datastore-type embedded.`,
  });
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
