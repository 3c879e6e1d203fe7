/** Tokens for service accounts, from a server that gives them and from one that does not. */

import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { secret } from '../../../src/base/secret.ts';
import { readConnectionSettings } from '../../../src/kubernetes/connection-settings.ts';
import { isKnownTo, requestToken } from '../../../src/kubernetes/token-request.ts';
import { deadline, realClock } from '../../support/clock.ts';
import { json, NO_SOURCES, statusOf, TOKEN, useFakeApi } from '../../support/fake-kubernetes-api.ts';

const { pki, serve } = useFakeApi();
const ACCOUNT = { namespace: 'kube-system', name: 'calico-cni-plugin' };

async function settingsFor(server: string) {
  const sources = { ...NO_SOURCES, server, certificateAuthority: pki().ca.cert, token: secret(TOKEN) };
  return readConnectionSettings(sources, realClock);
}

async function request(server: string) {
  return requestToken(await settingsFor(server), ACCOUNT, realClock, deadline(5_000));
}

describe('requestToken()', () => {
  it('asks for a token that is good for a day', async () => {
    const seen: unknown[] = [];
    const url = await serve((asked, response) => {
      void text(asked).then((body) => {
        seen.push(asked.method, asked.url, asked.headers['content-type'], JSON.parse(body));
        json(response, 201, {
          kind: 'TokenRequest',
          status: { token: 'new.token', expirationTimestamp: 'x' },
        });
      });
    });
    expect((await request(url))?.reveal()).toBe('new.token');
    expect(seen).toEqual([
      'POST',
      '/api/v1/namespaces/kube-system/serviceaccounts/calico-cni-plugin/token',
      'application/json',
      {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenRequest',
        spec: { audiences: [], expirationSeconds: 86_400 },
      },
    ]);
  });

  it.each([
    ['a page', (response: Parameters<typeof json>[0]) => response.writeHead(404).end('404 page not found')],
    [
      'a status',
      (response: Parameters<typeof json>[0]) =>
        json(response, 404, statusOf(404, 'NotFound', 'the server could not find the requested resource')),
    ],
  ])('gives nothing where the server has no tokens to give and says so by %s', async (_name, answer) => {
    expect(await request(await serve((_asked, response) => answer(response)))).toBeUndefined();
  });

  it('fails when the account does not exist', async () => {
    const status = {
      ...statusOf(404, 'NotFound', 'serviceaccounts "calico-cni-plugin" not found'),
      details: { kind: 'serviceaccounts' },
    };
    const url = await serve((_asked, response) => json(response, 404, status));
    await expect(request(url)).rejects.toMatchObject({
      kind: 'not-found',
      message: expect.stringContaining('serviceaccounts "calico-cni-plugin" not found'),
    });
  });

  it('says which permission is missing', async () => {
    const url = await serve((_asked, response) => json(response, 403, statusOf(403, 'Forbidden', 'no')));
    await expect(request(url)).rejects.toMatchObject({
      kind: 'denied',
      message: expect.stringContaining('a token of service account kube-system/calico-cni-plugin'),
      details: expect.stringContaining('"create" on serviceaccounts/token of calico-cni-plugin'),
    });
  });

  it.each([['{"status":{}}'], ['{"status":{"token":5}}'], ['secret-ish text']])(
    'does not take %s for a token, nor shows it',
    async (body) => {
      const url = await serve((_asked, response) => response.writeHead(201).end(body));
      const error: unknown = await request(url).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ kind: 'corrupt' });
      expect(String(error)).not.toContain('secret-ish');
    },
  );

  it('fails when nobody answers', async () => {
    await expect(request('https://127.0.0.1:1')).rejects.toMatchObject({ kind: 'unavailable' });
  });
});

describe('isKnownTo()', () => {
  it.each([
    [200, true],
    [403, true],
    [401, false],
  ])('HTTP status %i: %s', async (status, isKnown) => {
    const url = await serve((_asked, response) => json(response, status, { gitVersion: 'v1' }));
    expect(await isKnownTo(await settingsFor(url), realClock, deadline(5_000))).toBe(isKnown);
  });
});
