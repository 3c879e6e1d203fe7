/** Which datastore, and how to reach it: the configuration's own settings over the environment's. Pure. */

import { CalicoError } from '../base/calico-error.ts';
import { shorten } from '../base/json-object.ts';
import type { Secret } from '../base/secret.ts';
import type { EnvironmentDefaults } from './environment-defaults.ts';
import { parseEndpoints } from './etcd-endpoints.ts';

/** `embedded` is the single-node datastore in a file. */
export type DatastoreConf = EtcdConf | { readonly type: 'embedded' };

export interface EtcdConf {
  readonly type: 'etcdv3';
  /** Canonical URLs, `https://host:port`, all of one scheme; empty if and only if `discoverySrv` is set. */
  readonly endpoints: readonly string[];
  /** DNS domain whose SRV records list the endpoints. */
  readonly discoverySrv: string | undefined;
  /** PEM files; certificate and key come together. */
  readonly caCertFile: string | undefined;
  readonly certFile: string | undefined;
  readonly keyFile: string | undefined;
  readonly user: { readonly name: string; readonly password: Secret | undefined } | undefined;
}

/** The settings as the configuration has them; an empty text counts as absent. */
export interface DatastoreKeys {
  readonly datastore_type?: string | undefined;
  readonly etcd_endpoints?: string | undefined;
  readonly etcd_discovery_srv?: string | undefined;
  readonly etcd_key_file?: string | undefined;
  readonly etcd_cert_file?: string | undefined;
  readonly etcd_ca_cert_file?: string | undefined;
}

/** Throws `config`, or `unsupported` for the Kubernetes datastore. */
export function datastoreConf(keys: DatastoreKeys, defaults: EnvironmentDefaults): DatastoreConf {
  const type = keys.datastore_type || defaults.datastoreType || 'etcdv3';
  switch (type) {
    case 'etcdv3':
      return etcdConf(keys, defaults);
    case 'embedded':
      return { type };
    case 'kubernetes':
      throw new CalicoError('unsupported', 'datastore_type "kubernetes" is not supported', {
        details: 'this plugin keeps its data in etcd: set datastore_type to "etcdv3" and etcd_endpoints',
      });
    default:
      throw new CalicoError(
        'config',
        `invalid network configuration: datastore_type must be "etcdv3", found ${JSON.stringify(shorten(type))}`,
      );
  }
}

function etcdConf(keys: DatastoreKeys, defaults: EnvironmentDefaults): EtcdConf {
  const certFile = keys.etcd_cert_file || defaults.etcdCertFile;
  const keyFile = keys.etcd_key_file || defaults.etcdKeyFile;
  requireBothOrNeither(certFile, keyFile);
  const name = defaults.etcdUsername;
  return {
    type: 'etcdv3',
    ...etcdSource(keys, defaults),
    caCertFile: keys.etcd_ca_cert_file || defaults.etcdCaCertFile,
    certFile,
    keyFile,
    user: name === undefined ? undefined : { name, password: defaults.etcdPassword },
  };
}

function etcdSource(
  keys: DatastoreKeys,
  defaults: EnvironmentDefaults,
): Pick<EtcdConf, 'endpoints' | 'discoverySrv'> {
  const endpoints = keys.etcd_endpoints || defaults.etcdEndpoints;
  const discoverySrv = keys.etcd_discovery_srv || defaults.etcdDiscoverySrv;
  if (endpoints !== undefined && discoverySrv !== undefined) {
    throw new CalicoError(
      'config',
      'multiple discovery or bootstrap options specified, use either "etcdEndpoints" or "etcdDiscoverySrv"',
    );
  }
  if (discoverySrv !== undefined) return { endpoints: [], discoverySrv };
  return { endpoints: parseEndpoints(endpoints ?? ''), discoverySrv };
}

function requireBothOrNeither(certFile: string | undefined, keyFile: string | undefined): void {
  if ((certFile === undefined) === (keyFile === undefined)) return;
  const [present, absent] =
    keyFile === undefined ? ['etcd_cert_file', 'etcd_key_file'] : ['etcd_key_file', 'etcd_cert_file'];
  throw new CalicoError(
    'config',
    `could not initialize etcdv3 client: ${present} is set but ${absent} is not: set both or neither`,
  );
}
