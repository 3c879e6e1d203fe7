/** Opens the datastore that the settings name. */

import type { Clock } from '../base/deadline.ts';
import type { EtcdSettings } from './etcd/etcd-settings.ts';
import { openEtcdStore } from './etcd/etcd-store.ts';
import { openSqliteStore } from './sqlite/sqlite-store.ts';
import type { Store } from './store.ts';

export type StoreSettings =
  | ({ readonly type: 'etcdv3' } & EtcdSettings)
  /** `path`: the file, absolute. */
  | { readonly type: 'embedded'; readonly path: string };

/**
 * A connection to etcd is on its way when this returns: what the caller does next, without giving the thread away,
 * goes on while etcd answers. `random`: a number in [0, 1), to spread nodes over endpoints.
 */
export async function openStoreOf(
  settings: StoreSettings,
  clock: Clock,
  random: () => number,
): Promise<Store> {
  if (settings.type === 'embedded') return openSqliteStore(settings.path, clock);
  const store = openEtcdStore(settings, clock, Math.floor(random() * settings.endpoints.length));
  await new Promise((resolve) => setImmediate(resolve));
  return store;
}
