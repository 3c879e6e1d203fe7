/** Opens the datastore that the settings name. Its client is evaluated only now, and no other. */

import type { Clock } from '../base/deadline.ts';
import type { EtcdSettings } from './etcd/etcd-settings.ts';
import type { Store } from './store.ts';

export type StoreSettings =
  | ({ readonly type: 'etcdv3' } & EtcdSettings)
  /** `path`: the file, absolute. */
  | { readonly type: 'embedded'; readonly path: string };

/** Nothing is connected before the first request. `random`: a number in [0, 1), to spread nodes over endpoints. */
export async function openStoreOf(
  settings: StoreSettings,
  clock: Clock,
  random: () => number,
): Promise<Store> {
  if (settings.type === 'embedded') {
    const { openSqliteStore } = await import('./sqlite/sqlite-store.ts');
    return openSqliteStore(settings.path, clock);
  }
  const { openEtcdStore } = await import('./etcd/etcd-store.ts');
  return openEtcdStore(settings, clock, Math.floor(random() * settings.endpoints.length));
}
