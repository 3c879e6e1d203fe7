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
  readonly kubernetes: KubernetesDefaults;
}

/** Paths are those of files. */
export interface KubernetesDefaults {
  readonly kubeconfig: string | undefined;
  /** URL of the API server. */
  readonly apiEndpoint: string | undefined;
  readonly keyFile: string | undefined;
  readonly certFile: string | undefined;
  readonly caFile: string | undefined;
  readonly insecureSkipTlsVerify: boolean | undefined;
  /** Name of a context of the kubeconfig. */
  readonly currentContext: string | undefined;
  /** The API server as the pods of a cluster see it; set by kubelet, so without a prefix. */
  readonly inCluster: { readonly host: string; readonly port: string } | undefined;
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
    kubernetes: {
      kubeconfig: variable('KUBECONFIG'),
      apiEndpoint: variable('K8S_API_ENDPOINT'),
      keyFile: variable('K8S_KEY_FILE'),
      certFile: variable('K8S_CERT_FILE'),
      caFile: variable('K8S_CA_FILE'),
      insecureSkipTlsVerify: flag(variable('K8S_INSECURE_SKIP_TLS_VERIFY')),
      currentContext: variable('K8S_CURRENT_CONTEXT'),
      inCluster: inCluster(env),
    },
  };
}

/** What Go takes for a boolean; anything else than true leaves the check of the server on. */
function flag(value: string | undefined): boolean | undefined {
  return value === undefined ? undefined : ['1', 't', 'true'].includes(value.toLowerCase());
}

function inCluster({ KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port }: Environment) {
  return host && port ? { host, port } : undefined;
}

/** What pods' host interfaces start with: the first entry of FELIX_INTERFACEPREFIX, normally `cali`. */
export function interfacePrefix(env: Environment): string {
  return env.FELIX_INTERFACEPREFIX?.split(',')[0]?.trim() || 'cali';
}
