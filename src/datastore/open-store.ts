/** Opens the datastore that the settings name. */

import type { Clock, Deadline } from '../base/deadline.ts';
import { discoverEndpoints } from './etcd/discover-endpoints.ts';
import type { EtcdSettings } from './etcd/etcd-settings.ts';
import { openEtcdStore } from './etcd/etcd-store.ts';
import type { EndpointFailure } from './etcd/refusal.ts';
import { openSqliteStore } from './sqlite/sqlite-store.ts';
import type { Store } from './store.ts';

export type StoreSettings =
  | ({
      readonly type: 'etcdv3';
      /** DNS domain whose SRV records name the endpoints; those of the settings are empty then. */
      readonly discoverySrv: string | undefined;
    } & EtcdSettings)
  /** `path`: the file, absolute. */
  | { readonly type: 'embedded'; readonly path: string };

export interface OpenStoreOptions {
  readonly clock: Clock;
  /** Until when etcd's endpoints must have been found. */
  readonly deadline: Deadline;
  /** A number in [0, 1), to spread nodes over endpoints. */
  readonly random: () => number;
  /** Told of an endpoint that did not serve us while another may. */
  readonly onFailure?: (failure: EndpointFailure) => void;
}

/**
 * A connection to etcd is on its way when this returns: what the caller does next, without giving the thread away,
 * goes on while etcd answers.
 */
export async function openStoreOf(settings: StoreSettings, options: OpenStoreOptions): Promise<Store> {
  const { clock, random, onFailure } = options;
  if (settings.type === 'embedded') return openSqliteStore(settings.path, clock);
  const { discoverySrv } = settings;
  const store =
    discoverySrv === undefined
      ? openEtcdStore(settings, clock, { onFailure, first: Math.floor(random() * settings.endpoints.length) })
      : openEtcdStore(await discovered(settings, discoverySrv, options), clock, { onFailure });
  await new Promise((resolve) => setImmediate(resolve));
  return store;
}

/** The settings with the endpoints that the domain names. */
export async function discovered(
  settings: EtcdSettings,
  domain: string,
  { deadline, random }: Pick<OpenStoreOptions, 'deadline' | 'random'>,
): Promise<EtcdSettings> {
  const wantsTls = settings.caCertFile !== undefined || settings.certFile !== undefined;
  return { ...settings, endpoints: await discoverEndpoints(domain, { deadline, random, wantsTls }) };
}
