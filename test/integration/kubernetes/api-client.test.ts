/** The client of the Kubernetes API against a server that behaves. */

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer } from 'node:https';
import { join } from 'node:path';
import { TLSSocket } from 'node:tls';
import { describe, expect, it, onTestFinished } from 'vitest';
import { deadline } from '../../support/clock.ts';
import { json, POD, TOKEN, useFakeApi, wearing } from '../../support/fake-kubernetes-api.ts';
import { listening } from '../../support/peer.ts';

const { pki, serve, open } = useFakeApi();

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
    expect(node).toEqual({ name: 'n1', podCidrs: ['10.0.0.0/24'], internalIps: [] });
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
    const listener = createServer(wearing(pki().server), (_request, response) => json(response, 200, POD));
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
      { requestCert: true, ca: readFileSync(pki().ca.cert) },
    );
    const base64 = (path: string) => readFileSync(path).toString('base64');
    mkdirSync(join(pki().folder, 'net.d'), { recursive: true });
    const users = {
      inline: {
        'client-certificate-data': base64(pki().client.cert),
        'client-key-data': base64(pki().client.key),
      },
      files: { 'client-certificate': '../client.pem', 'client-key': '../client.key' },
    };
    for (const [name, user] of Object.entries(users)) {
      const kubeconfig = join(pki().folder, 'net.d', name);
      const clusters = [{ name: 'c', cluster: { server: url, 'certificate-authority': '../ca.pem' } }];
      const contexts = [{ name: 'x', context: { cluster: 'c', user: 'u' } }];
      const config = { clusters, contexts, users: [{ name: 'u', user }], 'current-context': 'x' };
      writeFileSync(kubeconfig, JSON.stringify(config));
      const api = await open({ kubeconfig, certificateAuthority: undefined, token: undefined });
      expect(await api.pod('default', 'web-1', deadline())).toMatchObject({ name: 'client' });
    }
  });
});
