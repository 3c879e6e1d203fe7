/** The way to a real API server: credentials that open it, and whatever may be wrong on it, which changes nothing. */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeCa, makeCertificate, makeExpiredCertificate } from '../support/certificates.ts';
import { writeCluster } from '../support/cluster.ts';
import { freePort } from '../support/free-port.ts';
import type { KubeObject } from '../support/kube-apiserver.ts';
import { whyNoKubernetes } from '../support/kubernetes-parts.ts';
import { expectRefusal, type NetworkedPod, networkPod } from '../support/networked-pod.ts';
import { type NodeWithApi, startNodeWithApi } from '../support/node-with-api.ts';
import { succeeded } from '../support/simulated-node.ts';

const why = whyNoKubernetes();
const skipped = why === undefined ? '' : ` (skipped: ${why})`;

describe.skipIf(why !== undefined)(`the way to the API server${skipped}`, () => {
  let node: NodeWithApi;
  let pod: KubeObject;
  let running: NetworkedPod;

  beforeAll(async () => {
    node = await startNodeWithApi();
    await writeCluster(node.etcd);
    pod = await node.api.createPod({ name: 'web-1' });
    running = await networkPod(node, pod);
  });
  afterAll(async () => {
    await node.stop();
  });

  const path = (name: string) => join(node.api.directory, name);
  const write = (name: string, text: string): string => {
    writeFileSync(path(name), text);
    return path(name);
  };
  const base64 = (file: string) => readFileSync(file).toString('base64');
  /** A kubeconfig of the user who may do all, with its text changed. */
  const edited = (edit: (text: string) => string) => {
    const kubeconfig = node.api.kubeconfig();
    writeFileSync(kubeconfig, edit(readFileSync(kubeconfig, 'utf8')));
    return { kubernetes: { kubeconfig } };
  };
  const user = (fields: Readonly<Record<string, string>>) => ({
    kubernetes: { kubeconfig: node.api.kubeconfig(fields) },
  });
  const refused = async (conf: object) =>
    (await expectRefusal(node, running, { ...node.makeSandbox(pod).call, conf })).json;

  describe('opens for', () => {
    /** A user of the group that may do all. */
    const admin = (name: string) =>
      makeCertificate(node.api.directory, name, node.api.ca, 'DNS:admin', ['system:masters']);

    let count = 0;
    const works = async (conf: object) => {
      count += 1;
      const { call } = await networkPod(node, await node.api.createPod({ name: `other-${count}` }), conf);
      succeeded(await node.cni('DEL', call));
    };

    it('a client certificate in files', async () => {
      const { cert, key } = admin('admin-in-files');
      await works(user({ 'client-certificate': cert, 'client-key': key }));
    });

    it('a client certificate and a CA inline', async () => {
      const { cert, key } = admin('admin-inline');
      const { kubernetes } = user({
        'client-certificate-data': base64(cert),
        'client-key-data': base64(key),
      });
      const text = readFileSync(kubernetes.kubeconfig, 'utf8');
      const inline = text.replace(
        /certificate-authority: .*/,
        `certificate-authority-data: ${base64(node.api.ca.cert)}`,
      );
      await works({ kubernetes: { kubeconfig: write('inline', inline) } });
    });

    it('a token in a file, by a path from the kubeconfig', async () => {
      write('token', `${node.api.tokens.admin}\n`);
      await works(user({ tokenFile: 'token' }));
    });

    it('a token, while any server is trusted', async () => {
      await works(
        edited((text) => text.replace(/certificate-authority: .*/, 'insecure-skip-tls-verify: true')),
      );
    });

    it('what the network configuration says instead of the kubeconfig', async () => {
      const wrong = edited((text) => text.replace(node.api.url, 'https://127.0.0.1:1')).kubernetes;
      const k8s_auth_token = node.api.tokens.admin;
      const policy = { type: 'k8s', k8s_api_root: `${node.api.url}/api/v1/`, k8s_auth_token };
      await works({ policy, kubernetes: wrong });
      const k8s_certificate_authority = node.api.ca.cert;
      await works({
        policy: { type: 'k8s', k8s_auth_token, k8s_certificate_authority },
        kubernetes: { k8s_api_root: node.api.url },
      });
      const { cert, key } = admin('admin-in-policy');
      const certificate = { k8s_client_certificate: cert, k8s_client_key: key };
      await works({ policy: { ...policy, k8s_auth_token: undefined, ...certificate }, kubernetes: wrong });
    });
  });

  describe('is refused to', () => {
    it('a token that nobody knows', async () => {
      const error = await refused(user({ token: 'wrong' }));
      expect(error).toMatchObject({
        code: 104,
        msg: expect.stringMatching(
          /^error getting (namespace default|pod default\/web-1) from https:\/\/127\.0\.0\.1:\d+: connection is unauthorized: Unauthorized \(with token of user "user" in \S+kubeconfig\d+\)$/,
        ),
      });
      expect(JSON.stringify(error)).not.toContain('wrong');
    });

    it('an account without any right', async () => {
      expect(await refused(user({ token: node.api.tokens.powerless }))).toMatchObject({
        code: 104,
        msg: expect.stringMatching(
          /connection is unauthorized: (pods|namespaces) "\S+" is forbidden: User "powerless" cannot get resource .*\(with token of user "user" in /,
        ),
        details: expect.stringContaining('needs a ClusterRole with "get" on pods, namespaces and nodes'),
      });
    });

    it('a client certificate that expired: the message says when', async () => {
      const { cert, key } = makeExpiredCertificate(node.api.directory, 'expired', node.api.ca, 'DNS:expired');
      const error = await refused(user({ 'client-certificate': cert, 'client-key': key }));
      expect(error).toMatchObject({
        code: 104,
        msg: expect.stringContaining(`client certificate ${cert}`),
        details: expect.stringContaining('renew'),
      });
      expect(error.msg).toContain(`from ${node.api.url}`);
      expect(error.msg).toMatch(/the client certificate expired at 2\d{3}-\d\d-\d\dT/);
    });

    it('a client certificate of another CA', async () => {
      const other = makeCa(node.api.directory, 'other-clients');
      const { cert, key } = makeCertificate(node.api.directory, 'stranger', other, 'DNS:stranger', [
        'system:masters',
      ]);
      expect(await refused(user({ 'client-certificate': cert, 'client-key': key }))).toMatchObject({
        code: 104,
        msg: expect.stringContaining(`client certificate ${cert}`),
      });
    });
  });

  describe('is not taken when', () => {
    it('another CA is trusted than the one of the server', async () => {
      const { cert } = makeCa(node.api.directory, 'other-ca');
      expect(await refused(edited((text) => text.replace(node.api.ca.cert, cert)))).toMatchObject({
        code: 7,
        msg: expect.stringMatching(
          new RegExp(`from ${node.api.url}: the certificate of the server is not trusted: .*${cert}`),
        ),
      });
    });

    it("the server's certificate is for another name", async () => {
      const byName = edited((text) =>
        text.replace('cluster:\n', 'cluster:\n    tls-server-name: kubernetes.example\n'),
      );
      expect(await refused(byName)).toMatchObject({
        code: 7,
        msg: expect.stringContaining('kubernetes.example'),
        details: expect.stringContaining('tls-server-name'),
      });
    });

    it('the server speaks TLS and the URL says that it does not', async () => {
      const error = await refused(edited((text) => text.replace('https://', 'http://')));
      expect(error.code).toBe(7);
      expect(error.msg).toContain(node.api.url.replace('https', 'http'));
    });

    it('nobody listens', async () => {
      const url = `https://127.0.0.1:${await freePort()}`;
      const error = await refused(edited((text) => text.replace(node.api.url, url)));
      expect(error).toMatchObject({ code: 11, msg: expect.stringContaining(`from ${url}: `) });
      expect(error.msg).toMatch(/^error getting (namespace default|pod default\/web-1) .*ECONNREFUSED/);
    });

    it('the server hangs: the ADD ends within its deadline', async () => {
      const { call } = node.makeSandbox(pod);
      node.api.pause();
      const answer = await expectRefusal(node, running, call).finally(() => node.api.resume());
      expect(answer.json).toMatchObject({
        code: 11,
        msg: expect.stringMatching(
          /^error getting (namespace default|pod default\/web-1) from https:.*10000 ms/,
        ),
      });
      expect(answer.elapsedMs).toBeLessThan(25_000);
    });
  });

  it.each([
    ['is not there', () => path('none'), /cannot read kubeconfig \S+none.*ENOENT/s],
    ['is a folder', () => node.api.directory, /cannot read kubeconfig .*EISDIR/s],
    ['is empty', () => write('empty', ''), /invalid kubeconfig \S+empty/],
    ['is not YAML', () => write('binary', 'clusters: [\u0000'), /invalid kubeconfig \S+binary/],
    ['is a text', () => write('text', 'to be done'), /invalid kubeconfig \S+text/],
    [
      'has no context',
      () => write('bare', 'kind: Config\n'),
      /invalid kubeconfig \S+bare: current-context is not set/,
    ],
    [
      'has a context that does not exist',
      () =>
        edited((text) => text.replace('current-context: test', 'current-context: prod')).kubernetes
          .kubeconfig,
      /invalid kubeconfig \S+: context "prod" does not exist/,
    ],
    [
      'is half written',
      () => edited((text) => text.slice(0, text.indexOf('contexts:'))).kubernetes.kubeconfig,
      /invalid kubeconfig \S+: current-context is not set/,
    ],
    [
      'names a CA file that is not there',
      () => edited((text) => text.replace(node.api.ca.cert, '/nowhere/ca.pem')).kubernetes.kubeconfig,
      /cannot read certificate authority \/nowhere\/ca\.pem/,
    ],
    [
      'has a client certificate without a key',
      () => node.api.kubeconfig({ 'client-certificate': node.api.ca.cert }),
      /client-certificate and client-key come together/,
    ],
    [
      'names a token file that is not there',
      () => node.api.kubeconfig({ tokenFile: '/nowhere/token' }),
      /cannot read token file \/nowhere\/token/,
    ],
    [
      'has a server that is no URL',
      () => edited((text) => text.replace(node.api.url, '"not a url"')).kubernetes.kubeconfig,
      /invalid Kubernetes API server "not a url"/,
    ],
  ])('a kubeconfig that %s', async (_name, kubeconfig, message) => {
    const error = await refused({ kubernetes: { kubeconfig: kubeconfig() } });
    expect(error.code).toBe(7);
    expect(`${error.msg} ${error.details}`).toMatch(message);
    expect(JSON.stringify(error)).not.toContain(node.api.tokens.admin);
  });

  it('a kubeconfig that only kubectl can use', async () => {
    const exec = edited((text) => text.replace(/token: .*/, 'exec: {command: aws}'));
    expect(await refused(exec)).toMatchObject({
      code: 2,
      msg: expect.stringContaining('exec of user "user"'),
    });
  });
});
