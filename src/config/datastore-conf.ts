/** Which datastore, and how to reach it: the configuration's own settings over the environment's. Pure. */

import { CalicoError } from '../base/calico-error.ts';
import { shorten } from '../base/json-object.ts';
import type { Secret } from '../base/secret.ts';
import type { EnvironmentDefaults } from './environment-defaults.ts';
import { parseEndpoints } from './etcd-endpoints.ts';

export type DatastoreConf = EtcdConf | EmbeddedConf;

/** The datastore of a single node, in a file of its own. */
export interface EmbeddedConf {
  readonly type: 'embedded';
  /** Absolute path of the file; it need not exist. */
  readonly path: string;
}

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
  readonly datastore_path?: string | undefined;
  readonly etcd_endpoints?: string | undefined;
  readonly etcd_discovery_srv?: string | undefined;
  readonly etcd_key_file?: string | undefined;
  readonly etcd_cert_file?: string | undefined;
  readonly etcd_ca_cert_file?: string | undefined;
}

const EMBEDDED_PATH = '/var/lib/calico/embedded.db';

/** Throws `config`, or `unsupported` for the Kubernetes datastore. */
export function datastoreConf(keys: DatastoreKeys, defaults: EnvironmentDefaults): DatastoreConf {
  const type = keys.datastore_type || defaults.datastoreType || 'etcdv3';
  switch (type) {
    case 'etcdv3':
      return etcdConf(keys, defaults);
    case 'embedded':
      return { type, path: embeddedPath(keys.datastore_path) };
    case 'kubernetes':
      throw new CalicoError('unsupported', 'datastore_type "kubernetes" is not supported', {
        details:
          'set datastore_type to "etcdv3" and etcd_endpoints, or, for a single node, datastore_type to "embedded"',
      });
    default:
      throw new CalicoError(
        'config',
        `invalid network configuration: datastore_type must be "etcdv3" or "embedded", found ${JSON.stringify(shorten(type))}`,
      );
  }
}

function embeddedPath(path: string | undefined): string {
  if (!path) return EMBEDDED_PATH;
  if (path.startsWith('/') && !path.endsWith('/') && !path.includes('\0')) return path;
  throw new CalicoError(
    'config',
    `invalid network configuration: datastore_path must be the absolute path of a file, found ${JSON.stringify(shorten(path))}`,
  );
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
