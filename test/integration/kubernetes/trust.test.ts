/** Which servers the client of the Kubernetes API talks to. */

import type { RequestListener } from 'node:http';
import { describe, expect, it } from 'vitest';
import { makeCertificate, makeExpiredCertificate } from '../../support/certificates.ts';
import { deadline } from '../../support/clock.ts';
import { json, LOCAL, POD, TOKEN, useFakeApi, wearing } from '../../support/fake-kubernetes-api.ts';

const { pki, serve, open, failure, kubeconfigWith } = useFakeApi();

describe('trust', () => {
  const answer: RequestListener = (_request, response) => json(response, 200, POD);

  it('is refused to a server of another CA, and the CA we trust is named', async () => {
    const url = await serve(answer);
    expect(await failure({ server: url, certificateAuthority: pki().otherCa.cert })).toMatchObject({
      kind: 'config',
      message: expect.stringMatching(
        new RegExp(
          `^error getting pod default/web-1 from ${url}: the certificate of the server is not trusted: .*` +
            `\\(by certificate authority ${pki().otherCa.cert}\\)$`,
        ),
      ),
    });
  });

  it('is refused to a server whose certificate expired, and the time is named', async () => {
    const expired = makeExpiredCertificate(pki().folder, 'expired-server', pki().ca, LOCAL);
    const url = await serve(answer, wearing(expired));
    expect(await failure({ server: url })).toMatchObject({
      kind: 'unavailable',
      message: expect.stringMatching(
        /^error getting pod default\/web-1 from https:.*: the certificate of the server expired at \d{4}-\d\d-\d\dT[\d:]{8}Z$/,
      ),
    });
  });

  it('is refused to a server with another name, which may be given', async () => {
    const elsewhere = makeCertificate(
      pki().folder,
      'elsewhere',
      pki().ca,
      'DNS:kubernetes.example,IP:127.0.0.2',
    );
    const url = await serve(answer, wearing(elsewhere));
    expect(await failure({ server: url })).toMatchObject({
      kind: 'config',
      message: expect.stringMatching(/does not match certificate's altnames/),
      details: expect.stringContaining('tls-server-name'),
    });
    for (const name of ['kubernetes.example', '127.0.0.2']) {
      const cluster = { server: url, 'certificate-authority': pki().ca.cert, 'tls-server-name': name };
      const api = await open({ kubeconfig: kubeconfigWith(cluster, { token: TOKEN }), token: undefined });
      expect(await api.pod('default', 'web-1', deadline())).toMatchObject({ uid: 'u1' });
    }
  });

  it('is given to anyone when told so', async () => {
    const expired = makeExpiredCertificate(pki().folder, 'anyone', pki().otherCa, 'DNS:anyone');
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
    await failure({ server: url, certificateAuthority: pki().otherCa.cert });
    expect(requests).toBe(0);
  });
});
