/** The datastore of a configuration as the datastore room wants it. Pure. */

import { CalicoError } from '../base/calico-error.ts';
import type { StoreSettings } from '../datastore/open-store.ts';
import type { DatastoreConf } from './datastore-conf.ts';

/** Throws `unsupported` for what no store can do yet. */
export function storeSettings(conf: DatastoreConf): StoreSettings {
  if (conf.type === 'embedded') return conf;
  if (conf.discoverySrv !== undefined) {
    throw new CalicoError('unsupported', `etcd_discovery_srv "${conf.discoverySrv}" is not supported yet`, {
      details: 'set etcd_endpoints',
    });
  }
  const { user } = conf;
  return { ...conf, user: user && { name: user.name, password: user.password?.reveal() ?? '' } };
}
