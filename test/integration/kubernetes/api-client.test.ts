/** The client of the Kubernetes API against HTTPS servers that behave, and ones that do not. */

import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer, type RequestListener, type ServerResponse } from 'node:http';
import { createServer, type ServerOptions } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { Deadline } from '../../../src/base/deadline.ts';
import { secret } from '../../../src/base/secret.ts';
import type { KubernetesApi } from '../../../src/kubernetes/api.ts';
import { openKubernetesApi } from '../../../src/kubernetes/api-client.ts';
import {
  type ConnectionSources,
  readConnectionSettings,
} from '../../../src/kubernetes/connection-settings.ts';
import {
  type Identity,
  makeCa,
  makeCertificate,
  makeExpiredCertificate,
} from '../../support/certificates.ts';
import { deadline, realClock } from '../../support/clock.ts';
import { listen, listening } from '../../support/peer.ts';
import { requireTool } from '../../support/tools.ts';

const LOCAL = 'IP:127.0.0.1,DNS:localhost';
const TOKEN = 'a.secret.token';
const POD = { kind: 'Pod', metadata: { name: 'web-1', namespace: 'default', uid: 'u1' }, spec: {} };

let folder: string;
let ca: Identity;
let otherCa: Identity;
let server: Identity;
let client: Identity;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'kubernetes-'));
  ca = makeCa(folder, 'ca');
  otherCa = makeCa(folder, 'other-ca');
  server = makeCertificate(folder, 'server', ca, LOCAL);
  client = makeCertificate(folder, 'client', ca, 'DNS:client');
});
afterAll(() => rmSync(folder, { recursive: true }));

const NOTHING: ConnectionSources = {
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

/** A server that answers with `listener`; gives its URL. */
async function serve(listener: RequestListener, options: ServerOptions = {}): Promise<string> {
  const { cert, key } = { cert: readFileSync(server.cert), key: readFileSync(server.key) };
  const listener443 = createServer({ cert, key, ...options }, listener);
  onTestFinished(() => {
    listener443.close();
    listener443.closeAllConnections();
  });
  return `https://127.0.0.1:${await listening(listener443)}`;
}

function json(response: ServerResponse, status: number, body: unknown, headers = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
}

const status = (code: number, reason: string, message: string) => ({ kind: 'Status', code, reason, message });

async function open(changes: Partial<ConnectionSources>): Promise<KubernetesApi> {
  const token = secret(TOKEN);
  const sources = { ...NOTHING, certificateAuthority: ca.cert, token, ...changes };
  const api = openKubernetesApi(await readConnectionSettings(sources, realClock), realClock);
  onTestFinished(() => api.close());
  return api;
}

/** What asking for the pod fails with. */
async function failure(changes: Partial<ConnectionSources>, until: Deadline = deadline(5_000)) {
  const api = await open(changes);
  const error = await api.pod('default', 'web-1', until).then(
    () => new Error('it did not fail'),
    (thrown: unknown) => thrown,
  );
  expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain(TOKEN);
  return error;
}

describe('the client of the Kubernetes API', () => {
  it('reads objects, one after the other over one connection', async () => {
    const seen: unknown[] = [];
    const ports = new Set<number | undefined>();
    const url = await serve((request, response) => {
      const { method, url: path, headers } = request;
      ports.add(request.socket.remotePort);
      seen.push([method, path, headers.authorization, headers.accept]);
      if (path?.endsWith('web-1')) return json(response, 200, POD);
      if (path === '/version') return json(response, 200, { gitVersion: 'v1.34.2' });
      if (path?.includes('nodes'))
        return json(response, 200, {
          kind: 'Node',
          metadata: { name: 'n1' },
          spec: { podCIDR: '10.0.0.0/24' },
        });
      json(response, 200, { kind: 'Namespace', metadata: { name: 'default', labels: { a: 'b' } } });
    });
    const api = await open({ server: url });
    const until = deadline();
    const [pod, namespace, node, version] = await Promise.all([
      api.pod('default', 'web-1', until),
      api.namespace('default', until),
      api.node('n1', until),
      api.version(until),
    ]);
    expect(pod).toMatchObject({ name: 'web-1', namespace: 'default', uid: 'u1', labels: {} });
    expect(namespace).toEqual({ name: 'default', labels: { a: 'b' }, annotations: {} });
    expect(node).toEqual({ name: 'n1', podCidrs: ['10.0.0.0/24'] });
    expect(version).toBe('v1.34.2');
    const sent = [`Bearer ${TOKEN}`, 'application/json'];
    expect(seen).toEqual([
      ['GET', '/api/v1/namespaces/default/pods/web-1', ...sent],
      ['GET', '/api/v1/namespaces/default', ...sent],
      ['GET', '/api/v1/nodes/n1', ...sent],
      ['GET', '/version', ...sent],
    ]);
    expect(ports.size).toBe(1);
  });

  it('connects before it is asked anything', async () => {
    const connected = Promise.withResolvers<void>();
    const { cert, key } = { cert: readFileSync(server.cert), key: readFileSync(server.key) };
    const listener = createServer({ cert, key }, (_request, response) => json(response, 200, POD));
    let connections = 0;
    listener.on('secureConnection', () => {
      connections++;
      connected.resolve();
    });
    onTestFinished(() => void listener.close());
    const api = await open({ server: `https://127.0.0.1:${await listening(listener)}` });
    await connected.promise;
    await api.pod('default', 'web-1', deadline());
    expect(connections).toBe(1);
  });

  it('speaks plain HTTP with a server whose URL says so, below its path', async () => {
    const paths: unknown[] = [];
    const listener = createHttpServer((request, response) => {
      paths.push(request.url, request.headers.host);
      json(response, 200, POD);
    });
    onTestFinished(() => listener.closeAllConnections());
    onTestFinished(() => void listener.close());
    const port = await listening(listener);
    const api = await open({ server: `http://127.0.0.1:${port}/base/` });
    expect(await api.pod('default', 'web-1', deadline())).toMatchObject({ uid: 'u1' });
    expect(paths).toEqual(['/base/api/v1/namespaces/default/pods/web-1', `127.0.0.1:${port}`]);
  });

  it('shows its client certificate, from a kubeconfig with data and one with relative paths', async () => {
    const url = await serve(
      (request, response) => {
        const name = request.socket instanceof TLSSocket && request.socket.getPeerCertificate().subject.CN;
        json(response, 200, { ...POD, metadata: { name } });
      },
      { requestCert: true, ca: readFileSync(ca.cert) },
    );
    const base64 = (path: string) => readFileSync(path).toString('base64');
    mkdirSync(join(folder, 'net.d'), { recursive: true });
    const users = {
      inline: { 'client-certificate-data': base64(client.cert), 'client-key-data': base64(client.key) },
      files: { 'client-certificate': '../client.pem', 'client-key': '../client.key' },
    };
    for (const [name, user] of Object.entries(users)) {
      const kubeconfig = join(folder, 'net.d', name);
      const clusters = [{ name: 'c', cluster: { server: url, 'certificate-authority': '../ca.pem' } }];
      const contexts = [{ name: 'x', context: { cluster: 'c', user: 'u' } }];
      const config = { clusters, contexts, users: [{ name: 'u', user }], 'current-context': 'x' };
      writeFileSync(kubeconfig, JSON.stringify(config));
      const api = await open({ kubeconfig, certificateAuthority: undefined, token: undefined });
      expect(await api.pod('default', 'web-1', deadline())).toMatchObject({ name: 'client' });
    }
  });
});

describe('trust', () => {
  const answer: RequestListener = (_request, response) => json(response, 200, POD);
  const wearing = ({ cert, key }: Identity) => ({ cert: readFileSync(cert), key: readFileSync(key) });

  it('is refused to a server of another CA, and the CA we trust is named', async () => {
    const url = await serve(answer);
    expect(await failure({ server: url, certificateAuthority: otherCa.cert })).toMatchObject({
      kind: 'config',
      message: expect.stringMatching(
        new RegExp(
          `^error getting pod default/web-1 from ${url}: the certificate of the server is not trusted: .*` +
            `\\(by certificate authority ${otherCa.cert}\\)$`,
        ),
      ),
    });
  });

  it('is refused to a server whose certificate expired, and the time is named', async () => {
    const expired = makeExpiredCertificate(folder, 'expired-server', ca, LOCAL);
    const url = await serve(answer, wearing(expired));
    expect(await failure({ server: url })).toMatchObject({
      kind: 'unavailable',
      message: expect.stringMatching(
        /^error getting pod default\/web-1 from https:.*: the certificate of the server expired at \d{4}-\d\d-\d\dT[\d:]{8}Z$/,
      ),
    });
  });

  it('is refused to a server with another name, which may be given', async () => {
    const elsewhere = makeCertificate(folder, 'elsewhere', ca, 'DNS:kubernetes.example,IP:127.0.0.2');
    const url = await serve(answer, wearing(elsewhere));
    expect(await failure({ server: url })).toMatchObject({
      kind: 'config',
      message: expect.stringMatching(/does not match certificate's altnames/),
      details: expect.stringContaining('tls-server-name'),
    });
    for (const name of ['kubernetes.example', '127.0.0.2']) {
      const cluster = { server: url, 'certificate-authority': ca.cert, 'tls-server-name': name };
      const api = await open({ kubeconfig: kubeconfigWith(cluster, { token: TOKEN }), token: undefined });
      expect(await api.pod('default', 'web-1', deadline())).toMatchObject({ uid: 'u1' });
    }
  });

  it('is given to anyone when told so', async () => {
    const expired = makeExpiredCertificate(folder, 'anyone', otherCa, 'DNS:anyone');
    const url = await serve(answer, wearing(expired));
    const api = await open({ server: url, certificateAuthority: undefined, insecureSkipTlsVerify: true });
    expect(await api.pod('default', 'web-1', deadline())).toMatchObject({ uid: 'u1' });
  });

  it('does not send the token to a server that is not trusted', async () => {
    let requests = 0;
    const url = await serve((_request, response) => {
      requests++;
      json(response, 200, POD);
    });
    await failure({ server: url, certificateAuthority: otherCa.cert });
    expect(requests).toBe(0);
  });
});

function kubeconfigWith(cluster: object, user: object): string {
  const path = join(folder, 'kubeconfig');
  const contexts = [{ name: 'x', context: { cluster: 'local', user: 'calico' } }];
  const clusters = [{ name: 'local', cluster }];
  const users = [{ name: 'calico', user }];
  writeFileSync(path, JSON.stringify({ clusters, contexts, users, 'current-context': 'x' }));
  return path;
}

const tokenUntil = (seconds: number) =>
  ['{}', JSON.stringify({ exp: seconds }), 'signature']
    .map((part) => Buffer.from(part).toString('base64url'))
    .join('.');

describe('a refusal', () => {
  it('by 401 names the token in the kubeconfig and when it expired', async () => {
    const url = await serve((_request, response) =>
      json(response, 401, status(401, 'Unauthorized', 'Unauthorized')),
    );
    const cluster = { server: url, 'certificate-authority': ca.cert };
    const kubeconfig = kubeconfigWith(cluster, { token: tokenUntil(1_700_000_000) });
    expect(await failure({ kubeconfig, certificateAuthority: undefined, token: undefined })).toMatchObject({
      kind: 'denied',
      message:
        `error getting pod default/web-1 from ${url}: connection is unauthorized: Unauthorized ` +
        `(with token of user "calico" in ${kubeconfig}): the token expired at 2023-11-14T22:13:20Z`,
      details: expect.stringContaining('renew'),
    });
  });

  it('by 401 names a token file that is still good', async () => {
    const url = await serve((_request, response) => void response.writeHead(401).end());
    const cluster = { server: url, 'certificate-authority': ca.cert };
    const tokenFile = join(folder, 'token');
    writeFileSync(tokenFile, `${tokenUntil(9_000_000_000)}\n`);
    const kubeconfig = kubeconfigWith(cluster, { tokenFile });
    expect(await failure({ kubeconfig, token: undefined })).toMatchObject({
      kind: 'denied',
      message: expect.stringMatching(
        new RegExp(`: connection is unauthorized: Unauthorized \\(with token file ${tokenFile}\\)$`),
      ),
    });
  });

  it('by 401 names a client certificate and when it expired', async () => {
    const url = await serve((_request, response) => void response.writeHead(401).end());
    const { cert, key } = makeExpiredCertificate(folder, 'expired-client', ca, 'DNS:client');
    const changes = { server: url, token: undefined, clientCertificate: cert, clientKey: key };
    expect(await failure(changes)).toMatchObject({
      kind: 'denied',
      message: expect.stringMatching(
        new RegExp(
          `Unauthorized \\(with client certificate ${cert}\\): the client certificate expired at .*Z$`,
        ),
      ),
    });
  });

  it('by 401 says when there are no credentials at all', async () => {
    const url = await serve((_request, response) => void response.writeHead(401).end());
    expect(await failure({ server: url, token: undefined })).toMatchObject({
      message: expect.stringMatching(/Unauthorized \(no credentials are configured\)$/),
    });
  });

  it.each(['-tls1_2', '-tls1_3'])(
    'of a client certificate by TLS (%s) says when it expired',
    async (version) => {
      const { cert, key } = makeExpiredCertificate(folder, 'refused-client', ca, 'DNS:client');
      const url = `https://${await strictServer(version)}`;
      expect(await failure({ server: url, clientCertificate: cert, clientKey: key })).toMatchObject({
        kind: 'denied',
        message: expect.stringMatching(
          new RegExp(
            `from ${url}: the server refused the connection: .*alert certificate expired \\(with .*` +
              `client certificate ${cert}\\): the client certificate expired at .*Z$`,
          ),
        ),
      });
    },
  );

  it.each([
    ['-tls1_2', 'handshake failure'],
    ['-tls1_3', 'certificate required'],
  ])('for the lack of a client certificate by TLS (%s) says %s', async (version, alert) => {
    const url = `https://${await strictServer(version)}`;
    expect(await failure({ server: url })).toMatchObject({
      kind: 'denied',
      message: expect.stringContaining(`the server refused the connection: ${ALERT[version]} alert ${alert}`),
    });
  });

  const ALERT: Readonly<Record<string, string>> = { '-tls1_2': 'ssl/tls', '-tls1_3': 'tlsv13' };

  /** A server that wants to see a good certificate, and says what is wrong with it. Gives host and port. */
  async function strictServer(version: string): Promise<string> {
    const who = ['-cert', server.cert, '-key', server.key, '-CAfile', ca.cert];
    const how = ['-Verify', '1', '-verify_return_error', version];
    const child = spawn(requireTool('openssl'), ['s_server', '-accept', '127.0.0.1:0', ...who, ...how], {
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    onTestFinished(() => void child.kill());
    for await (const line of createInterface(child.stdout)) {
      const address = /^ACCEPT (\S+)$/.exec(line)?.[1];
      if (address !== undefined) return address;
    }
    throw new Error('openssl did not begin to listen');
  }

  it('without words, after a certificate that expired, says when that was', async () => {
    const options = { requestCert: true, rejectUnauthorized: true, ca: readFileSync(ca.cert) };
    const url = await serve(() => undefined, options);
    const { cert, key } = makeExpiredCertificate(folder, 'ignored-client', ca, 'DNS:client');
    expect(await failure({ server: url, clientCertificate: cert, clientKey: key })).toMatchObject({
      kind: 'unavailable',
      message: expect.stringMatching(/: the client certificate expired at .*Z$/),
    });
  });

  it("by 403 keeps the API's words", async () => {
    const message =
      'pods "web-1" is forbidden: User "system:serviceaccount:kube-system:calico" cannot get resource "pods"';
    const url = await serve((_request, response) => json(response, 403, status(403, 'Forbidden', message)));
    expect(await failure({ server: url })).toMatchObject({
      kind: 'denied',
      message:
        `error getting pod default/web-1 from ${url}: connection is unauthorized: ${message} ` +
        '(with policy.k8s_auth_token of the network configuration)',
      details: expect.stringContaining('ClusterRole'),
    });
  });

  it('by 404 tells a missing pod from a server that is none', async () => {
    const missing = status(404, 'NotFound', 'pods "web-1" not found');
    const url = await serve((_request, response) => json(response, 404, missing));
    expect(await failure({ server: url })).toMatchObject({
      kind: 'not-found',
      message: `error getting pod default/web-1 from ${url}: pods "web-1" not found`,
    });
    const other = await serve(
      (_request, response) => void response.writeHead(404).end('404 page not found\n'),
    );
    expect(await failure({ server: other })).toMatchObject({
      kind: 'config',
      message: expect.stringMatching(/: HTTP status 404: 404 page not found$/),
    });
  });

  it.each([
    [500, 'unavailable'],
    [502, 'unavailable'],
    [301, 'config'],
    [400, 'config'],
  ])('by %i is %s, and not tried again', async (code, kind) => {
    let requests = 0;
    const url = await serve((_request, response) => {
      requests++;
      response.writeHead(code).end('why');
    });
    expect(await failure({ server: url })).toMatchObject({
      kind,
      message: `error getting pod default/web-1 from ${url}: HTTP status ${code}: why`,
    });
    expect(requests).toBe(1);
  });
});

describe('a busy server', () => {
  /** Says that it is busy as often as told, then answers. */
  function busy(times: number, code: number, headers: object = {}): RequestListener {
    let left = times;
    return (_request, response) =>
      left-- > 0
        ? json(response, code, status(code, 'TooManyRequests', 'come back'), headers)
        : json(response, 200, POD);
  }

  it.each([
    [429, { 'retry-after': '1' }, 950],
    [503, {}, 150],
    [503, { 'retry-after': 'soon' }, 150],
  ])(
    'that answers %i with %j is asked once more, after %i ms at the least',
    async (code, headers, leastMs) => {
      const url = await serve(busy(1, code, headers));
      const api = await open({ server: url });
      const startMs = performance.now();
      expect(await api.pod('default', 'web-1', deadline())).toMatchObject({ uid: 'u1' });
      expect(performance.now() - startMs).toBeGreaterThan(leastMs);
    },
  );

  it('is asked twice, not more', async () => {
    const url = await serve(busy(2, 429));
    expect(await failure({ server: url })).toMatchObject({
      kind: 'unavailable',
      message: `error getting pod default/web-1 from ${url}: HTTP status 429: come back`,
    });
  });

  it('that wants more time than there is ends it at once', async () => {
    const url = await serve(busy(1, 503, { 'retry-after': '60' }));
    const startMs = performance.now();
    expect(await failure({ server: url })).toMatchObject({
      kind: 'unavailable',
      message: expect.stringContaining('HTTP status 503, retry after 60: come back'),
    });
    expect(performance.now() - startMs).toBeLessThan(1_000);
  });
});

describe('a server that does not answer', () => {
  it('refuses connections', async () => {
    const url = `https://127.0.0.1:${await freePort()}`;
    expect(await failure({ server: url })).toMatchObject({
      kind: 'unavailable',
      message: expect.stringMatching(
        new RegExp(`^error getting pod default/web-1 from ${url}: connect ECONNREFUSED`),
      ),
    });
  });

  async function freePort(): Promise<number> {
    const listener = createHttpServer();
    const port = await listening(listener);
    await new Promise((resolve) => listener.close(resolve));
    return port;
  }

  it.each([
    ['says nothing after the request', () => serve(() => undefined)],
    [
      'stops in the middle of the answer',
      () => serve((_request, response) => void response.writeHead(200).write('{')),
    ],
    ['never begins TLS', async () => `https://127.0.0.1:${await listen(() => undefined)}`],
  ])('%s: the deadline is kept', async (_what, start) => {
    const url = await start();
    const startMs = performance.now();
    expect(await failure({ server: url }, deadline(300))).toMatchObject({
      kind: 'unavailable',
      message: expect.stringMatching(new RegExp(`from ${url}: no answer within \\d+ ms$`)),
    });
    expect(performance.now() - startMs).toBeLessThan(1_500);
  });

  it('sends byte after byte: the deadline is kept', async () => {
    const url = await serve((_request, response) => {
      const timer = setInterval(() => response.write(' '), 20);
      response.on('close', () => clearInterval(timer));
    });
    expect(await failure({ server: url }, deadline(300))).toMatchObject({ kind: 'unavailable' });
  });

  it('is one for the second request of a connection as well', async () => {
    const url = await serve((request, response) => {
      if (request.url === '/version') json(response, 200, { gitVersion: 'v1' });
    });
    const api = await open({ server: url });
    await api.version(deadline());
    await expect(api.node('n1', deadline(200))).rejects.toMatchObject({ kind: 'unavailable' });
  });
});

describe('a broken answer', () => {
  it('that is too large is not kept', async () => {
    const url = await serve((_request, response) => {
      const piece = Buffer.alloc(1 << 20, 0x20);
      const more = () => {
        while (!response.destroyed && response.write(piece));
      };
      response.on('drain', more);
      more();
    });
    expect(await failure({ server: url })).toMatchObject({
      kind: 'corrupt',
      message: expect.stringMatching(/: the answer is larger than 16777216 bytes$/),
    });
  });

  it.each([
    ['that is no JSON', '<html>', /: the answer is not JSON: is this a Kubernetes API server\?$/],
    ['of another kind', '{"kind":"List"}', /: kind must be "Pod"$/],
    [
      'with a field of another type',
      '{"kind":"Pod","metadata":{"name":1}}',
      /: metadata.name must be a string$/,
    ],
  ])('%s is corrupt', async (_what, body, message) => {
    const url = await serve((_request, response) => void response.end(body));
    expect(await failure({ server: url })).toMatchObject({
      kind: 'corrupt',
      message: expect.stringMatching(message),
    });
  });

  it('that is no HTTP says so', async () => {
    const port = await listen((socket) => socket.end('SSH-2.0-OpenSSH_9.2\r\n'));
    expect(await failure({ server: `http://127.0.0.1:${port}` })).toMatchObject({
      kind: 'corrupt',
      message: expect.stringMatching(/it does not speak HTTP/),
    });
  });

  it('of a server without TLS says so', async () => {
    const listener = createHttpServer(() => undefined);
    onTestFinished(() => void listener.close());
    const port = await listening(listener);
    expect(await failure({ server: `https://127.0.0.1:${port}` })).toMatchObject({
      kind: 'config',
      message: expect.stringMatching(/: the server does not speak TLS$/),
    });
  });

  it('because the connection broke is asked for once more', async () => {
    let requests = 0;
    const url = await serve((request, response) => {
      requests++;
      if (requests === 1) request.socket.destroy();
      else json(response, 200, POD);
    });
    const api = await open({ server: url });
    expect(await api.pod('default', 'web-1', deadline())).toMatchObject({ uid: 'u1' });
    expect(requests).toBe(2);
  });

  it('because connections always break is an error', async () => {
    const url = await serve((request) => void request.socket.destroy());
    expect(await failure({ server: url })).toMatchObject({
      kind: 'unavailable',
      message: expect.stringMatching(/socket hang up|ECONNRESET/),
    });
  });
});
