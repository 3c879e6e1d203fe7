/** The datastore of a configuration as the datastore room wants it. Pure. */

import type { StoreSettings } from '../datastore/open-store.ts';
import type { DatastoreConf } from './datastore-conf.ts';

export function storeSettings(conf: DatastoreConf): StoreSettings {
  if (conf.type === 'embedded') return conf;
  const { user } = conf;
  return { ...conf, user: user && { name: user.name, password: user.password?.reveal() ?? '' } };
}
