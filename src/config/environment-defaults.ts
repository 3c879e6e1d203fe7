/**
 * Settings that a configuration leaves to the environment (Calico's client configuration). Every variable may
 * carry a `CALICO_` prefix, and then comes first. An empty one counts as absent. Pure.
 */

import { type Secret, secret } from '../base/secret.ts';
import type { Environment } from '../cni/environment.ts';

export interface EnvironmentDefaults {
  readonly datastoreType: string | undefined;
  readonly etcdEndpoints: string | undefined;
  readonly etcdDiscoverySrv: string | undefined;
  readonly etcdKeyFile: string | undefined;
  readonly etcdCertFile: string | undefined;
  readonly etcdCaCertFile: string | undefined;
  /** User and password cannot be set in a configuration at all. */
  readonly etcdUsername: string | undefined;
  readonly etcdPassword: Secret | undefined;
}

export function environmentDefaults(env: Environment): EnvironmentDefaults {
  const variable = (name: string) => env[`CALICO_${name}`] || env[name] || undefined;
  const password = variable('ETCD_PASSWORD');
  return {
    datastoreType: variable('DATASTORE_TYPE'),
    etcdEndpoints: variable('ETCD_ENDPOINTS'),
    etcdDiscoverySrv: variable('ETCD_DISCOVERY_SRV'),
    etcdKeyFile: variable('ETCD_KEY_FILE'),
    etcdCertFile: variable('ETCD_CERT_FILE'),
    etcdCaCertFile: variable('ETCD_CA_CERT_FILE'),
    etcdUsername: variable('ETCD_USERNAME'),
    etcdPassword: password === undefined ? undefined : secret(password),
  };
}

/** What pods' host interfaces start with: the first entry of FELIX_INTERFACEPREFIX, normally `cali`. */
export function interfacePrefix(env: Environment): string {
  return env.FELIX_INTERFACEPREFIX?.split(',')[0]?.trim() || 'cali';
}
