/** An HTTPS server in the place of a Kubernetes API server, what it takes to trust it, and clients for it. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { RequestListener, ServerResponse } from 'node:http';
import { createServer, type ServerOptions } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished } from 'vitest';
import type { Deadline } from '../../src/base/deadline.ts';
import { secret } from '../../src/base/secret.ts';
import type { KubernetesApi } from '../../src/kubernetes/api.ts';
import { openKubernetesApi } from '../../src/kubernetes/api-client.ts';
import { type ConnectionSources, readConnectionSettings } from '../../src/kubernetes/connection-settings.ts';
import { type Identity, makeCa, makeCertificate } from './certificates.ts';
import { deadline, realClock } from './clock.ts';
import { listening } from './peer.ts';

/** What the certificates of servers are for. */
export const LOCAL = 'IP:127.0.0.1,DNS:localhost';
export const TOKEN = 'a.secret.token';
export const POD = { kind: 'Pod', metadata: { name: 'web-1', namespace: 'default', uid: 'u1' }, spec: {} };

/** Certificates in a folder of their own. */
export interface Pki {
  readonly folder: string;
  readonly ca: Identity;
  readonly otherCa: Identity;
  /** Of the CA, as is the client. */
  readonly server: Identity;
  readonly client: Identity;
}

export interface FakeApi {
  /** Known once the tests of the file run. */
  pki(): Pki;
  /** A server that answers with the listener; gives its URL. */
  serve(listener: RequestListener, options?: ServerOptions): Promise<string>;
  /** A client that trusts the CA and has the token, but for the changes. */
  open(changes: Partial<ConnectionSources>): Promise<KubernetesApi>;
  /** What such a client fails with when it is asked for a pod. */
  failure(changes: Partial<ConnectionSources>, until?: Deadline): Promise<unknown>;
  /** The path of a kubeconfig with one cluster, and one user called `calico`. */
  kubeconfigWith(cluster: object, user: object): string;
}

/** For the top of a test file. */
export function useFakeApi(): FakeApi {
  let made: Pki | undefined;
  beforeAll(() => {
    made = makePki(mkdtempSync(join(tmpdir(), 'kubernetes-')));
  });
  afterAll(() => made && rmSync(made.folder, { recursive: true }));
  const pki = () => made ?? expect.unreachable('there are no certificates before the tests');
  const open = (changes: Partial<ConnectionSources>) => openApi(pki(), changes);
  return {
    pki,
    open,
    serve: (listener, options = {}) => serve(pki().server, listener, options),
    failure: async (changes, until = deadline(5_000)) => failure(await open(changes), until),
    kubeconfigWith: (cluster, user) => writeKubeconfig(join(pki().folder, 'kubeconfig'), cluster, user),
  };
}

function makePki(folder: string): Pki {
  const ca = makeCa(folder, 'ca');
  return {
    folder,
    ca,
    otherCa: makeCa(folder, 'other-ca'),
    server: makeCertificate(folder, 'server', ca, LOCAL),
    client: makeCertificate(folder, 'client', ca, 'DNS:client'),
  };
}

/** The PEM texts, as servers of Node want them. */
export function wearing({ cert, key }: Identity): { readonly cert: Buffer; readonly key: Buffer } {
  return { cert: readFileSync(cert), key: readFileSync(key) };
}

async function serve(identity: Identity, listener: RequestListener, options: ServerOptions): Promise<string> {
  const server = createServer({ ...wearing(identity), ...options }, listener);
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return `https://127.0.0.1:${await listening(server)}`;
}

export function json(response: ServerResponse, status: number, body: unknown, headers: object = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
}

/** What the API says when it refuses. */
export function statusOf(code: number, reason: string, message: string): object {
  return { kind: 'Status', code, reason, message };
}

export const NO_SOURCES: ConnectionSources = {
  kubeconfig: undefined,
  context: undefined,
  server: undefined,
  token: undefined,
  clientCertificate: undefined,
  clientKey: undefined,
  certificateAuthority: undefined,
  insecureSkipTlsVerify: undefined,
  inCluster: undefined,
};

async function openApi({ ca }: Pki, changes: Partial<ConnectionSources>): Promise<KubernetesApi> {
  const sources = { ...NO_SOURCES, certificateAuthority: ca.cert, token: secret(TOKEN), ...changes };
  const api = openKubernetesApi(await readConnectionSettings(sources, realClock), realClock);
  onTestFinished(() => api.close());
  return api;
}

async function failure(api: KubernetesApi, until: Deadline): Promise<unknown> {
  const error: unknown = await api.pod('default', 'web-1', until).then(
    () => expect.unreachable('it did not fail'),
    (thrown) => thrown,
  );
  expect(JSON.stringify(error, ['message', 'details', 'cause', 'stack'])).not.toContain(TOKEN);
  return error;
}

function writeKubeconfig(path: string, cluster: object, user: object): string {
  const contexts = [{ name: 'x', context: { cluster: 'local', user: 'calico' } }];
  const clusters = [{ name: 'local', cluster }];
  const users = [{ name: 'calico', user }];
  writeFileSync(path, JSON.stringify({ clusters, contexts, users, 'current-context': 'x' }));
  return path;
}
