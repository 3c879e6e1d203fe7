/** A kube-apiserver of the test's own on an etcd of the test: users, namespaces, pods and nodes as the test makes them. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type Identity, makeCa, makeCertificate } from './certificates.ts';
import { startDaemon } from './daemon.ts';
import { freePort } from './free-port.ts';
import { requireTool } from './tools.ts';

/** An object of the API, as JSON has it. */
// biome-ignore lint/suspicious/noExplicitAny: what a field holds is the API's to say, and the test's to expect
export type KubeObject = any;

export interface KubeApiServer {
  /** `https://127.0.0.1:PORT`, in the network namespace that it was started in. */
  readonly url: string;
  /** Vouches for the server, and for clients: see {@link makeCertificate}. */
  readonly ca: Identity;
  /** Bearer tokens of a user who may do all, and of one who may do nothing. */
  readonly tokens: { readonly admin: string; readonly powerless: string };
  /** For files of the test; gone after {@link KubeApiServer.stop}. */
  readonly directory: string;
  /** Writes a kubeconfig, and gives its path. Without fields of a `user`: the one who may do all. */
  kubeconfig(user?: Readonly<Record<string, string>>): string;
  /** Any request to the API, `/api/v1/…`, as the user who may do all; throws unless the server does as it is told. */
  request(method: string, path: string, body?: object): Promise<KubeObject>;
  createNamespace(name: string, metadata?: object): Promise<KubeObject>;
  createNode(name: string, spec?: object): Promise<KubeObject>;
  /** `spec`: all of it; without one, a container on node1 that is never started. */
  createPod(metadata: PodMetadata, spec?: object): Promise<KubeObject>;
  pod(namespace: string, name: string): Promise<KubeObject>;
  /** At once, as if nothing ran: a kubelet that runs it needs a while longer. */
  deletePod(namespace: string, name: string): Promise<void>;
  log(): string;
  /** Stops answering without closing connections, as a stuck server does. */
  pause(): void;
  /** Goes on after {@link KubeApiServer.pause}. */
  resume(): void;
  stop(): Promise<void>;
}

export interface PodMetadata {
  readonly name: string;
  readonly generateName?: string;
  /** Without it, `default`. */
  readonly namespace?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

const TOKENS = { admin: 'token-of-admin', powerless: 'token-of-powerless' };

/** Of the node; it is only written down, and no loopback address is taken. */
const ADVERTISED = '192.0.2.1';

const IDLE_POD = { nodeName: 'node1', containers: [{ name: 'main', image: 'localhost/busybox:test' }] };

/** Starts it and returns when the default namespace is there. `etcdEndpoint`: of an etcd without TLS. */
export async function startKubeApiServer(etcdEndpoint: string): Promise<KubeApiServer> {
  const directory = mkdtempSync(join(tmpdir(), 'kube-apiserver-'));
  const port = await freePort();
  const url = `https://127.0.0.1:${port}`;
  const ca = makeCa(directory, 'kubernetes-ca');
  const ask = (method: string, path: string, body?: object): Promise<KubeObject> =>
    send({ method, url: url + path, ca: ca.cert, body });
  const argv = [requireTool('kube-apiserver'), ...flags(directory, etcdEndpoint, port, ca)];
  const isReady = async (): Promise<boolean> => {
    await ask('GET', '/readyz');
    await ask('GET', '/api/v1/namespaces/default');
    return true;
  };
  const daemon = await startDaemon(argv, { directory, isReady }).catch((error: unknown) => {
    rmSync(directory, { recursive: true });
    throw error;
  });
  let kubeconfigs = 0;
  return {
    url,
    ca,
    tokens: TOKENS,
    directory,
    kubeconfig: (user = { token: TOKENS.admin }) => {
      kubeconfigs += 1;
      const path = join(directory, `kubeconfig${kubeconfigs}`);
      writeFileSync(path, kubeconfig(url, ca.cert, user), { mode: 0o600 });
      return path;
    },
    request: ask,
    createNamespace: (name, metadata = {}) =>
      ask('POST', '/api/v1/namespaces', { metadata: { name, ...metadata } }),
    createNode: (name, spec = {}) => ask('POST', '/api/v1/nodes', { metadata: { name }, spec }),
    createPod: (metadata, spec = IDLE_POD) =>
      ask('POST', `/api/v1/namespaces/${metadata.namespace ?? 'default'}/pods`, { metadata, spec }),
    pod: (namespace, name) => ask('GET', `/api/v1/namespaces/${namespace}/pods/${name}`),
    deletePod: async (namespace, name) =>
      void (await ask('DELETE', `/api/v1/namespaces/${namespace}/pods/${name}?gracePeriodSeconds=0`)),
    log: daemon.log,
    pause: daemon.pause,
    resume: daemon.resume,
    stop: async () => {
      await daemon.stop();
      rmSync(directory, { recursive: true });
    },
  };
}

function flags(directory: string, etcdEndpoint: string, port: number, ca: Identity): readonly string[] {
  const server = makeCertificate(directory, 'kube-apiserver', ca, 'IP:127.0.0.1,DNS:localhost');
  const users = join(directory, 'users.csv');
  const lines = [`${TOKENS.admin},admin,1,system:masters`, `${TOKENS.powerless},powerless,2`];
  writeFileSync(users, lines.map((line) => `${line}\n`).join(''), { mode: 0o600 });
  return [
    ...[`--etcd-servers=${etcdEndpoint}`, `--secure-port=${port}`, '--bind-address=127.0.0.1'],
    ...[`--advertise-address=${ADVERTISED}`, '--endpoint-reconciler-type=none'],
    ...[`--tls-cert-file=${server.cert}`, `--tls-private-key-file=${server.key}`],
    ...[`--client-ca-file=${ca.cert}`, `--token-auth-file=${users}`, '--authorization-mode=RBAC'],
    ...[`--service-account-key-file=${server.cert}`, `--service-account-signing-key-file=${server.key}`],
    ...['--service-account-issuer=https://kubernetes.default.svc', '--service-cluster-ip-range=10.96.0.0/16'],
    // No controller makes service accounts, or takes a taint from a node.
    '--disable-admission-plugins=ServiceAccount,TaintNodesByCondition',
  ];
}

function kubeconfig(url: string, ca: string, user: Readonly<Record<string, string>>): string {
  const credentials = Object.entries(user).map(([field, value]) => `    ${field}: ${value}\n`);
  return `apiVersion: v1
kind: Config
clusters:
- name: test
  cluster:
    server: ${url}
    certificate-authority: ${ca}
users:
- name: user
  user:
${credentials.join('')}contexts:
- name: test
  context:
    cluster: test
    user: user
current-context: test
`;
}

interface ApiRequest {
  readonly method: string;
  readonly url: string;
  /** Path of the CA's certificate. */
  readonly ca: string;
  readonly body: object | undefined;
}

async function send({ method, url, ca, body }: ApiRequest): Promise<KubeObject> {
  const headers = { authorization: `Bearer ${TOKENS.admin}`, 'content-type': 'application/json' };
  const sent = request(url, { method, headers, ca: readFileSync(ca), agent: false, timeout: 30_000 });
  sent.end(body === undefined ? undefined : JSON.stringify(body));
  const answer = await new Promise<string>((resolve, reject) => {
    sent.once('error', reject).once('timeout', () => sent.destroy(new Error(`${method} ${url}: no answer`)));
    sent.once('response', (response) => {
      text(response).then((whole) => {
        if (response.statusCode !== undefined && response.statusCode < 300) resolve(whole);
        else reject(new Error(`${method} ${url}: ${response.statusCode} ${whole}`));
      }, reject);
    });
  });
  return answer.startsWith('{') ? JSON.parse(answer) : answer;
}
