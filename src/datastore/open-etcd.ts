/** Opens all that etcd can do, for a process that lives long. */

import { openEtcdLeases } from './etcd/etcd-leases.ts';
import { openEtcdStore } from './etcd/etcd-store.ts';
import { openEtcdWatch } from './etcd/etcd-watch.ts';
import { openConnections } from './etcd/open-connections.ts';
import type { Leases } from './leases.ts';
import { discovered, type OpenStoreOptions, type StoreSettings } from './open-store.ts';
import type { Store } from './store.ts';
import type { Watch } from './watch.ts';

export interface EtcdDatastore {
  readonly store: Store;
  readonly watch: Watch;
  readonly leases: Leases;
  /** Ends all connections, so that the next calls make new ones: those there are may lead nowhere by now. */
  readonly renewConnections: () => void;
  readonly close: () => Promise<void>;
}

/** Each begins at an endpoint by chance, so that nodes spread over them. Throws `config` and what the DNS throws. */
export async function openEtcd(
  settings: StoreSettings & { readonly type: 'etcdv3' },
  options: OpenStoreOptions,
): Promise<EtcdDatastore> {
  const { clock, random, onFailure } = options;
  const { discoverySrv } = settings;
  const found = discoverySrv === undefined ? settings : await discovered(settings, discoverySrv, options);
  const first = Math.floor(random() * found.endpoints.length);
  const connections = openConnections();
  const onConnection = connections.add;
  const store = openEtcdStore(found, clock, { onFailure, first, onConnection });
  const leases = openEtcdLeases(found, clock, { onConnection });
  return {
    ...{ store, leases, watch: openEtcdWatch(found, clock, { first, onConnection }) },
    renewConnections: () => connections.closeAll('the connection is made anew'),
    close: async () => {
      leases.close();
      await store.close();
    },
  };
}
