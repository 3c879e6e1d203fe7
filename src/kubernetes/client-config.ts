/** Which API server, whom to trust, and as whom: from a kubeconfig, from the pod, and what overrides them. Pure. */

import { CalicoError } from '../base/calico-error.ts';
import type { Secret } from '../base/secret.ts';
import type { Material, MaterialSource } from './material.ts';

export interface ClientConfig {
  /** For messages: `kubeconfig /etc/cni/net.d/calico-kubeconfig`. */
  readonly origin: string;
  readonly cluster: Cluster;
  readonly user: User;
}

export interface Cluster {
  /** A URL, as written. */
  readonly server: string | undefined;
  readonly certificateAuthority: MaterialSource | undefined;
  readonly insecureSkipTlsVerify: boolean;
  /** The name that the server's certificate must be for, if it is not the server's. */
  readonly tlsServerName: string | undefined;
}

/** All may be absent: then we are nobody. */
export interface User {
  readonly certificate: MaterialSource | undefined;
  readonly key: MaterialSource | undefined;
  /** The first that can be read is used. */
  readonly tokens: readonly MaterialSource[];
  readonly username: string | undefined;
  readonly password: Material | undefined;
}

export const NO_CLUSTER: Cluster = {
  server: undefined,
  certificateAuthority: undefined,
  insecureSkipTlsVerify: false,
  tlsServerName: undefined,
};

export const NOBODY: User = {
  certificate: undefined,
  key: undefined,
  tokens: [],
  username: undefined,
  password: undefined,
};

/** What is said outside of a kubeconfig and wins over it. Certificate, key and CA are paths of files. */
export interface ClientOverrides {
  /** A URL. */
  readonly server: string | undefined;
  readonly token: Secret | undefined;
  readonly clientCertificate: string | undefined;
  readonly clientKey: string | undefined;
  readonly certificateAuthority: string | undefined;
  /** `undefined`: as the kubeconfig says. */
  readonly insecureSkipTlsVerify: boolean | undefined;
}

/** The configuration with everything replaced that the overrides have. */
export function override(config: ClientConfig, overrides: ClientOverrides): ClientConfig {
  return {
    ...config,
    cluster: overrideCluster(config.cluster, overrides),
    user: overrideUser(config.user, overrides),
  };
}

/** Who says that any server will do has no use for the kubeconfig's CA, and the other way round. */
function overrideCluster(cluster: Cluster, overrides: ClientOverrides): Cluster {
  const { server, certificateAuthority: file, insecureSkipTlsVerify: isInsecure } = overrides;
  return {
    ...cluster,
    server: server ?? cluster.server,
    certificateAuthority:
      file === undefined ? (isInsecure ? undefined : cluster.certificateAuthority) : { file },
    insecureSkipTlsVerify: isInsecure ?? (file === undefined && cluster.insecureSkipTlsVerify),
  };
}

function overrideUser(user: User, { token, clientCertificate, clientKey }: ClientOverrides): User {
  return {
    ...user,
    ...(clientCertificate === undefined ? {} : { certificate: { file: clientCertificate } }),
    ...(clientKey === undefined ? {} : { key: { file: clientKey } }),
    ...(token === undefined ? {} : { tokens: [{ text: token, from: TOKEN_OVERRIDE }], username: undefined }),
  };
}

const TOKEN_OVERRIDE = 'policy.k8s_auth_token of the network configuration';

/** Where Kubernetes puts what a pod needs to ask the API. */
const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';

/** `host`, `port`: as the environment of every pod has them. */
export function inClusterConfig({
  host,
  port,
}: {
  readonly host: string;
  readonly port: string;
}): ClientConfig {
  const shownHost = host.includes(':') ? `[${host}]` : host;
  return {
    origin: 'the service account of the pod',
    cluster: {
      ...NO_CLUSTER,
      server: `https://${shownHost}:${port}`,
      certificateAuthority: { file: `${SERVICE_ACCOUNT}/ca.crt` },
    },
    user: { ...NOBODY, tokens: [{ file: `${SERVICE_ACCOUNT}/token` }] },
  };
}

/** Throws `config` for what contradicts itself; the words are those of Kubernetes' own client. */
export function checkConsistent({ origin, cluster, user }: ClientConfig): void {
  const invalid = (what: string) => new CalicoError('config', `invalid configuration: ${what} (${origin})`);
  if (cluster.server === undefined) throw invalid('no server has been defined');
  if (cluster.insecureSkipTlsVerify && cluster.certificateAuthority !== undefined)
    throw invalid('specifying a root certificates file with the insecure flag is not allowed');
  if ((user.certificate === undefined) !== (user.key === undefined))
    throw invalid('client-certificate and client-key come together, but only one of them is set');
  if (user.tokens.length > 0 && user.username !== undefined)
    throw invalid('more than one authentication method found; found [token basicAuth], only one is allowed');
}
