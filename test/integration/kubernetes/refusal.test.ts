/** What the client of the Kubernetes API says when it is refused. */

import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, it, onTestFinished } from 'vitest';
import { makeExpiredCertificate } from '../../support/certificates.ts';
import { json, statusOf, useFakeApi } from '../../support/fake-kubernetes-api.ts';
import { requireTool } from '../../support/tools.ts';

const { pki, serve, failure, kubeconfigWith } = useFakeApi();

const tokenUntil = (seconds: number) =>
  ['{}', JSON.stringify({ exp: seconds }), 'signature']
    .map((part) => Buffer.from(part).toString('base64url'))
    .join('.');

describe('a refusal', () => {
  it('by 401 names the token in the kubeconfig and when it expired', async () => {
    const url = await serve((_request, response) =>
      json(response, 401, statusOf(401, 'Unauthorized', 'Unauthorized')),
    );
    const cluster = { server: url, 'certificate-authority': pki().ca.cert };
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
    const cluster = { server: url, 'certificate-authority': pki().ca.cert };
    const tokenFile = join(pki().folder, 'token');
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
    const { cert, key } = makeExpiredCertificate(pki().folder, 'expired-client', pki().ca, 'DNS:client');
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
      const { cert, key } = makeExpiredCertificate(pki().folder, 'refused-client', pki().ca, 'DNS:client');
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
    const who = ['-cert', pki().server.cert, '-key', pki().server.key, '-CAfile', pki().ca.cert];
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
    const options = { requestCert: true, rejectUnauthorized: true, ca: readFileSync(pki().ca.cert) };
    const url = await serve(() => undefined, options);
    const { cert, key } = makeExpiredCertificate(pki().folder, 'ignored-client', pki().ca, 'DNS:client');
    expect(await failure({ server: url, clientCertificate: cert, clientKey: key })).toMatchObject({
      kind: 'unavailable',
      message: expect.stringMatching(/: the client certificate expired at .*Z$/),
    });
  });

  it("by 403 keeps the API's words", async () => {
    const message =
      'pods "web-1" is forbidden: User "system:serviceaccount:kube-system:calico" cannot get resource "pods"';
    const url = await serve((_request, response) => json(response, 403, statusOf(403, 'Forbidden', message)));
    expect(await failure({ server: url })).toMatchObject({
      kind: 'denied',
      message:
        `error getting pod default/web-1 from ${url}: connection is unauthorized: ${message} ` +
        '(with policy.k8s_auth_token of the network configuration)',
      details: expect.stringContaining('ClusterRole'),
    });
  });

  it('by 404 tells a missing pod from a server that is none', async () => {
    const missing = statusOf(404, 'NotFound', 'pods "web-1" not found');
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
