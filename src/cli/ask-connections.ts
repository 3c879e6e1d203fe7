/** Whether a network configuration leads to a datastore that answers and is ready, and to a Kubernetes API. */

import { deadlineIn } from '../base/deadline.ts';
import { decodeNetConf } from '../cni/net-conf-bytes.ts';
import type { CalicoConf } from '../config/calico-conf.ts';
import { connectionSources } from '../config/connection-sources.ts';
import type { DatastoreConf } from '../config/datastore-conf.ts';
import { type EnvironmentDefaults, environmentDefaults } from '../config/environment-defaults.ts';
import { parseNetConf } from '../config/net-conf.ts';
import { storeSettings } from '../config/store-settings.ts';
import { openStoreOf } from '../datastore/open-store.ts';
import { readAll } from '../datastore/read-all.ts';
import { clusterRanges, datastoreReady } from '../datastore/workload-records.ts';
import { openKubernetesApi } from '../kubernetes/api-client.ts';
import { type ConnectionSettings, readConnectionSettings } from '../kubernetes/connection-settings.ts';
import { requireReady } from '../plugins/require-ready.ts';
import type { CommandWorld } from './command-world.ts';

/** How long each of them may take, as with Calico's `-t`. */
const ANSWER_MS = 2_000;

export interface ConnectionTest {
  /** The network configuration as the plugin gets it: JSON. */
  readonly netConf: string;
  /** What the configuration leaves to the environment. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Where the files are now that the configuration names. */
  readonly pathOf: (path: string) => string;
  /** Instead of what the kubeconfig says, which may still have to be written. */
  readonly api: ConnectionSettings | undefined;
}

/** Throws what an ADD would be refused with. */
export async function askConnections(test: ConnectionTest, world: CommandWorld): Promise<void> {
  const { text, json } = decodeNetConf(test.netConf);
  const defaults = environmentDefaults(test.env);
  const conf = parseNetConf({ text, json }, defaults);
  await askDatastore(moved(conf.datastore, test.pathOf), world);
  // Without a kubeconfig there may be no Kubernetes at all.
  if (conf.kubernetes.kubeconfig === undefined) return;
  await askKubernetes(test.api ?? (await connectionOf(conf, defaults, test.pathOf, world)), world);
}

async function askDatastore(conf: DatastoreConf, world: CommandWorld): Promise<void> {
  const { clock, random } = world;
  // An endpoint that is down must not keep another one from answering.
  const endpoints = conf.type === 'etcdv3' ? Math.max(1, conf.endpoints.length) : 1;
  const budgetMs = ANSWER_MS * endpoints;
  const deadline = deadlineIn(clock, budgetMs, 'the test of the datastore', world.interruption);
  const store = await openStoreOf(storeSettings(conf), { clock, deadline, random: random.fraction });
  try {
    requireReady(datastoreReady(await readAll(store, clusterRanges(), deadline)));
  } finally {
    await store.close();
  }
}

function moved(conf: DatastoreConf, pathOf: (path: string) => string): DatastoreConf {
  const optional = (path: string | undefined) => (path === undefined ? undefined : pathOf(path));
  if (conf.type === 'embedded') return { ...conf, path: pathOf(conf.path) };
  const { caCertFile, certFile, keyFile } = conf;
  return {
    ...conf,
    caCertFile: optional(caCertFile),
    certFile: optional(certFile),
    keyFile: optional(keyFile),
  };
}

function connectionOf(
  { kubernetes }: CalicoConf,
  defaults: EnvironmentDefaults,
  pathOf: (path: string) => string,
  world: CommandWorld,
): Promise<ConnectionSettings> {
  const kubeconfig = kubernetes.kubeconfig && pathOf(kubernetes.kubeconfig);
  return readConnectionSettings(connectionSources({ ...kubernetes, kubeconfig }, defaults), world.clock);
}

async function askKubernetes(connection: ConnectionSettings, world: CommandWorld): Promise<void> {
  const deadline = deadlineIn(world.clock, ANSWER_MS, 'the test of the Kubernetes API', world.interruption);
  const api = openKubernetesApi(connection, world.clock);
  try {
    await api.version(deadline);
  } finally {
    api.close();
  }
}
