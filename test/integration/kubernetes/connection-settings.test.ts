/** What is read from files to connect to the Kubernetes API. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { secret } from '../../../src/base/secret.ts';
import {
  type ConnectionSources,
  readConnectionSettings,
} from '../../../src/kubernetes/connection-settings.ts';
import { realClock } from '../../support/clock.ts';
import { NO_SOURCES } from '../../support/fake-kubernetes-api.ts';

const PEM = '-----BEGIN CERTIFICATE-----\nMII=\n-----END CERTIFICATE-----';

let folder: string;
let kubeconfig: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'settings-'));
  kubeconfig = join(folder, 'net.d', 'kubeconfig');
  mkdirSync(join(folder, 'net.d'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
});

function write(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

function writeKubeconfig(user: object, cluster: object = { server: 'https://api:6443' }): void {
  writeFileSync(kubeconfig, textWith(user, cluster));
}

function textWith(user: object, cluster: object): string {
  return JSON.stringify({
    clusters: [{ name: 'c', cluster }],
    users: [{ name: 'u', user }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'x',
  });
}

const read = (changes: Partial<ConnectionSources> = { kubeconfig }) =>
  readConnectionSettings({ ...NO_SOURCES, ...changes }, realClock);

describe('readConnectionSettings()', () => {
  it('reads the files of a kubeconfig, from the folder it is in', async () => {
    write('ca.pem', `${PEM}\n`);
    write('net.d/c.pem', PEM);
    const key = write('k.pem', PEM);
    writeKubeconfig(
      { 'client-certificate': 'c.pem', 'client-key': key },
      { server: 'https://api:6443', 'certificate-authority': '../ca.pem' },
    );
    const settings = await read();
    expect(settings).toMatchObject({
      server: { text: 'https://api:6443' },
      certificateAuthority: { from: `certificate authority ${join(folder, 'ca.pem')}` },
      certificate: {
        certificate: { from: `client certificate ${join(folder, 'net.d', 'c.pem')}` },
        key: { from: `client key ${key}` },
      },
      authorization: undefined,
    });
    expect(settings.certificate?.key.text.reveal()).toBe(PEM);
  });

  it.each([
    ['a token', { token: 'abc' }, 'Bearer abc'],
    ['a password', { username: 'me', password: 'p' }, 'Basic bWU6cA=='],
    ['a user without a password', { username: 'me' }, 'Basic bWU6'],
    ['a token file', { tokenFile: '../token' }, 'Bearer from-file'],
    ['a token file rather than a token', { tokenFile: '../token', token: 'abc' }, 'Bearer from-file'],
    ['a token where the file is missing', { tokenFile: 'missing', token: 'abc' }, 'Bearer abc'],
  ])('shows %s', async (_what, user, header) => {
    write('token', 'from-file\n');
    writeKubeconfig(user);
    expect((await read()).authorization?.text.reveal()).toBe(header);
  });

  it.each([
    ['a token file is missing', { tokenFile: 'missing' }, /^cannot read token file .*\/net\.d\/missing$/],
    ['a token file is empty', { tokenFile: '../empty' }, /^token file .*\/empty is empty or has characters/],
    ['a token has two lines', { token: 'a\nb' }, /^token of user "u" in .*kubeconfig is empty or has char/],
    [
      'a certificate has no key',
      { 'client-certificate': 'c' },
      /client-certificate and client-key come together/,
    ],
    [
      'data is no PEM',
      { 'client-certificate-data': 'AAAA', 'client-key-data': 'AAAA' },
      /^client-certificate-data of user "u" in .*kubeconfig is no PEM text$/,
    ],
  ])('says that %s', async (_what, user, message) => {
    write('empty', '\n');
    writeKubeconfig(user);
    await expect(read()).rejects.toMatchObject({ kind: 'config', message: expect.stringMatching(message) });
  });

  it('does not read files for TLS where there is none', async () => {
    const cluster = { server: 'http://api', 'certificate-authority': '/missing' };
    writeKubeconfig({ 'client-certificate': '/missing', 'client-key': '/missing' }, cluster);
    expect(await read()).toMatchObject({ certificateAuthority: undefined, certificate: undefined });
  });

  it('lets the sources override the kubeconfig', async () => {
    writeKubeconfig({ token: 'abc' });
    const ca = write('ca.pem', PEM);
    const changes = { server: 'https://other', certificateAuthority: ca, token: secret('mine') };
    const settings = await read({ kubeconfig, ...changes });
    expect(settings.server.text).toBe('https://other:443');
    expect(settings.certificateAuthority?.from).toBe(`certificate authority ${ca}`);
    expect(settings.authorization?.text.reveal()).toBe('Bearer mine');
  });

  it('waits for the rest of a kubeconfig that is being written', async () => {
    const text = textWith({ token: 'abc' }, { server: 'https://api' });
    writeFileSync(kubeconfig, text.slice(0, 40));
    setTimeout(() => writeFileSync(kubeconfig, text), 30);
    expect((await read()).server.text).toBe('https://api:443');
  });

  it('names a kubeconfig that is missing', async () => {
    await expect(read()).rejects.toMatchObject({
      kind: 'config',
      message: `cannot read kubeconfig ${kubeconfig}`,
      details: expect.stringContaining('ENOENT'),
    });
  });

  it('without a kubeconfig takes a server alone, or those of the pod it runs in', async () => {
    const inCluster = { host: '10.96.0.1', port: '443' };
    expect(await read({ server: 'http://api:8080', inCluster })).toMatchObject({
      server: { text: 'http://api:8080' },
      authorization: undefined,
    });
    await expect(read({ inCluster })).rejects.toMatchObject({
      message: expect.stringMatching(/\/var\/run\/secrets\/kubernetes\.io\/serviceaccount\/ca\.crt$/),
    });
    await expect(read({})).rejects.toMatchObject({
      kind: 'config',
      message: 'invalid configuration: no configuration has been provided',
      details: expect.stringContaining('kubernetes.kubeconfig'),
    });
  });
});
