/** How to reach the API server, with everything read that is in files. */

import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { CalicoError, errorText, isCalicoError } from '../base/calico-error.ts';
import type { Clock } from '../base/deadline.ts';
import { secret } from '../base/secret.ts';
import {
  type ClientConfig,
  type ClientOverrides,
  checkConsistent,
  inClusterConfig,
  NO_CLUSTER,
  NOBODY,
  override,
  type User,
} from './client-config.ts';
import { parseKubeconfig } from './kubeconfig.ts';
import { type Material, type MaterialSource, readMaterial, readPem } from './material.ts';
import { parseServerUrl, type ServerUrl } from './server-url.ts';

/** All that the network configuration and the environment say of it. */
export interface ConnectionSources extends ClientOverrides {
  /** Path of a file. */
  readonly kubeconfig: string | undefined;
  /** Name of a context of the kubeconfig that is used instead of its current one. */
  readonly context: string | undefined;
  /** The API server as the environment of a pod has it; `undefined` outside of pods. */
  readonly inCluster: { readonly host: string; readonly port: string } | undefined;
}

export interface ConnectionSettings {
  readonly server: ServerUrl;
  /** `undefined`: the CAs that the system trusts. */
  readonly certificateAuthority: Material | undefined;
  /** Whether any server is trusted. */
  readonly insecureSkipTlsVerify: boolean;
  /** The name that the server's certificate must be for, if it is not the server's. */
  readonly tlsServerName: string | undefined;
  readonly certificate: { readonly certificate: Material; readonly key: Material } | undefined;
  /** The value of the `Authorization` header. */
  readonly authorization: Material | undefined;
}

/**
 * Reads the kubeconfig and the files it names; without one, and without a server, the settings are those of the pod
 * this runs in. Throws `config` with the file that is wrong, or `unsupported`.
 */
export async function readConnectionSettings(
  sources: ConnectionSources,
  clock: Clock,
): Promise<ConnectionSettings> {
  const config = override(await readClientConfig(sources, clock), sources);
  checkConsistent(config);
  const { cluster, user } = config;
  const isSecure = cluster.insecureSkipTlsVerify || Boolean(cluster.certificateAuthority ?? user.certificate);
  const server = parseServerUrl(cluster.server ?? '', isSecure);
  const { certificateAuthority: ca } = cluster;
  return {
    server,
    certificateAuthority: server.isSecure && ca ? readPem(ca, 'certificate authority') : undefined,
    insecureSkipTlsVerify: cluster.insecureSkipTlsVerify,
    tlsServerName: cluster.tlsServerName,
    certificate: server.isSecure ? readCertificate(user) : undefined,
    authorization: readAuthorization(user),
  };
}

async function readClientConfig(sources: ConnectionSources, clock: Clock): Promise<ClientConfig> {
  const { kubeconfig, context, server, inCluster } = sources;
  if (kubeconfig !== undefined) return readKubeconfig(kubeconfig, context, clock);
  if (server !== undefined) return { origin: 'no kubeconfig', cluster: NO_CLUSTER, user: NOBODY };
  if (inCluster !== undefined) return inClusterConfig(inCluster);
  throw new CalicoError('config', 'invalid configuration: no configuration has been provided', {
    details: 'set kubernetes.kubeconfig in the network configuration: pods are read from the Kubernetes API',
  });
}

/** calico-node writes a new token into its kubeconfig from time to time, in place: there may be half of it. */
const PATIENCE = { tries: 3, pauseMs: 50 };

async function readKubeconfig(
  path: string,
  context: string | undefined,
  clock: Clock,
): Promise<ClientConfig> {
  for (let tries = 1; ; tries++) {
    try {
      return withAbsolutePaths(parseKubeconfig(readKubeconfigText(path), path, context), dirname(path));
    } catch (error) {
      if (tries >= PATIENCE.tries || !isCalicoError(error, 'config')) throw error;
      await clock.sleep(PATIENCE.pauseMs);
    }
  }
}

function readKubeconfigText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new CalicoError('config', `cannot read kubeconfig ${path}`, { details: errorText(cause), cause });
  }
}

function withAbsolutePaths({ origin, cluster, user }: ClientConfig, folder: string): ClientConfig {
  const absolute = <Source extends MaterialSource | undefined>(source: Source) =>
    source !== undefined && 'file' in source ? { file: resolve(folder, source.file) } : source;
  return {
    origin,
    cluster: { ...cluster, certificateAuthority: absolute(cluster.certificateAuthority) },
    user: {
      ...user,
      certificate: absolute(user.certificate),
      key: absolute(user.key),
      tokens: user.tokens.map(absolute),
    },
  };
}

function readCertificate({ certificate, key }: User): ConnectionSettings['certificate'] {
  if (certificate === undefined || key === undefined) return undefined;
  return { certificate: readPem(certificate, 'client certificate'), key: readPem(key, 'client key') };
}

function readAuthorization({ tokens, username, password }: User): Material | undefined {
  const token = readFirst(tokens);
  if (token !== undefined) return { text: secret(`Bearer ${token.text.reveal()}`), from: token.from };
  if (username === undefined) return undefined;
  const pair = `${username}:${password?.text.reveal() ?? ''}`;
  return {
    text: secret(`Basic ${Buffer.from(pair).toString('base64')}`),
    from: password?.from ?? `user ${JSON.stringify(username)} without a password`,
  };
}

/** Throws only if there is nothing else to try. */
function readFirst([first, ...others]: readonly MaterialSource[]): Material | undefined {
  if (first === undefined) return undefined;
  try {
    return readToken(first);
  } catch (error) {
    if (others.length === 0) throw error;
    return readFirst(others);
  }
}

/** A token goes into a header: what does not fit there is no token, and must not appear in a message. */
function readToken(source: MaterialSource): Material {
  const token = readMaterial(source, 'token file');
  if (/^[\x21-\x7e]+$/.test(token.text.reveal())) return token;
  throw new CalicoError('config', `${token.from} is empty or has characters that no token has`);
}
