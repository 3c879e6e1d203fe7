/** etcd over TLS, on a real one that wants to see a certificate from its clients. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer, type TlsOptions } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { ABSENT } from '../../src/base/revision.ts';
import type { EtcdSettings } from '../../src/datastore/etcd/etcd-settings.ts';
import { openEtcdStore } from '../../src/datastore/etcd/etcd-store.ts';
import { openEtcd3Store } from '../../src/datastore/etcd/etcd3-store.ts';
import type { EndpointFailure } from '../../src/datastore/etcd/refusal.ts';
import type { Store } from '../../src/datastore/store.ts';
import { type Identity, makeCa, makeCertificate, makeExpiredCertificate } from '../support/certificates.ts';
import { deadline, realClock } from '../support/clock.ts';
import { type Etcd, startEtcd } from '../support/etcd.ts';
import { listening } from '../support/peer.ts';
import { run } from '../support/run.ts';
import { REPOSITORY } from '../support/tools.ts';

let folder: string;
let ca: Identity;
let otherCa: Identity;
let server: Identity;
let client: Identity;
let etcd: Etcd;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tls-'));
  ca = makeCa(folder, 'ca');
  otherCa = makeCa(folder, 'other-ca');
  server = makeCertificate(folder, 'server', ca, 'IP:127.0.0.1,DNS:localhost');
  client = makeCertificate(folder, 'client', ca, 'DNS:client');
  etcd = await startEtcd({ tls: { ca: ca.cert, ...server } });
});
afterAll(async () => {
  await etcd.stop();
  rmSync(folder, { recursive: true });
});

const settings = (changes: Partial<EtcdSettings> = {}): EtcdSettings => ({
  endpoints: [etcd.endpoint],
  caCertFile: ca.cert,
  certFile: client.cert,
  keyFile: client.key,
  user: undefined,
  ...changes,
});
const create = (key: string) =>
  ({
    expect: [{ key, revision: ABSENT }],
    write: [{ type: 'put', key, value: 'x'.repeat(50_000) }],
  }) as const;

/** grpc-js tells the server an address as its name, which Node.js 26 refuses: `etcd3` needs names for TLS. */
const CLIENTS = [
  ['etcd', openEtcdStore, ['127.0.0.1', 'localhost']],
  ['etcd, through etcd3', openEtcd3Store, ['localhost']],
] as const;

describe.each(CLIENTS)('a store on %s over TLS', (_name, openStore, hosts) => {
  const at = (host: string | undefined) => etcd.endpoint.replace('127.0.0.1', host ?? '');

  function open(changes: Partial<EtcdSettings> = {}): Store {
    const store = openStore(settings({ endpoints: [at(hosts[0])], ...changes }), realClock);
    onTestFinished(() => store.close());
    return store;
  }

  it.each(hosts)('reads and writes at %s', async (host) => {
    await etcd.wipe();
    const store = open({ endpoints: [at(host)] });
    expect(await store.commit(create('/a'), deadline())).toMatchObject({ committed: true });
    const { entries } = await store.read([{ key: '/a' }], deadline());
    expect(entries[0]?.[0]?.value).toHaveLength(50_000);
  });

  it.each([
    ['the CA of the server is another one', () => ({ caCertFile: otherCa.cert })],
    ['a client certificate is of another CA', () => clientOf('stranger', otherCa)],
    ['there is no client certificate', () => ({ certFile: undefined, keyFile: undefined })],
    ['the URL says http', () => ({ endpoints: [at('localhost').replace('https', 'http')] })],
  ])('is refused when %s', async (_what, changes) => {
    const store = open(changes());
    await expect(store.read([{ key: '/a' }], deadline(1_000))).rejects.toMatchObject({ name: 'CalicoError' });
  });

  it('names a file that is no PEM', () => {
    const path = join(folder, 'ca.der');
    writeFileSync(path, Buffer.from('3082', 'hex'));
    expect(() => open({ caCertFile: path })).toThrow(`cannot read etcd_ca_cert_file ${path}`);
  });
});

function clientOf(name: string, issuer: Identity, make = makeCertificate): Partial<EtcdSettings> {
  const { cert, key } = make(folder, name, issuer, 'DNS:client');
  return { certFile: cert, keyFile: key };
}

describe('a store on etcd over TLS', () => {
  const open = (changes: Partial<EtcdSettings> = {}): Store => {
    const store = openEtcdStore(settings(changes), realClock);
    onTestFinished(() => store.close());
    return store;
  };

  const refusals: readonly [string, () => Partial<EtcdSettings>, string, RegExp, RegExp][] = [
    [
      'the CA of the server is another one',
      () => ({ caCertFile: otherCa.cert }),
      'config',
      /has a certificate that is not trusted: .* \(by .*other-ca\.pem\)$/,
      /set etcd_ca_cert_file/,
    ],
    [
      'the client certificate is of another CA',
      () => clientOf('stranger', otherCa),
      'denied',
      /did not accept the client certificate .*stranger\.pem: .*alert/,
      /--trusted-ca-file/,
    ],
    [
      'the client certificate has expired',
      () => clientOf('former', ca, makeExpiredCertificate),
      'denied',
      /did not accept the client certificate .*former\.pem, which expired at 20\d\d-.*Z: .*alert/,
      /^renew the certificate$/,
    ],
    [
      'there is no client certificate',
      () => ({ certFile: undefined, keyFile: undefined }),
      'denied',
      /wants a client certificate: .*alert/,
      /set etcd_cert_file and etcd_key_file/,
    ],
  ];

  it.each(refusals)(
    'says what to do when %s, for a read and for a write',
    async (_what, changes, kind, text, advice) => {
      const refused = { name: 'CalicoError', kind, message: text, details: advice };
      const store = open(changes());
      await expect(store.read([{ key: '/a' }], deadline())).rejects.toMatchObject(refused);
      await expect(store.commit(create('/refused'), deadline())).rejects.toMatchObject(refused);
    },
  );

  it.each([
    [
      'has expired',
      () => makeExpiredCertificate(folder, 'old-server', ca, 'IP:127.0.0.1'),
      {
        kind: 'unavailable',
        message: /has a certificate that has expired/,
        details: /^renew the certificate of etcd/,
      },
    ],
    [
      'is for another host',
      () => makeCertificate(folder, 'elsewhere', ca, 'DNS:elsewhere.example,IP:127.0.0.2'),
      {
        kind: 'config',
        message: /has a certificate for another host: .*127\.0\.0\.1.*127\.0\.0\.2/,
        details: /etcd_endpoints/,
      },
    ],
  ])('says what to do when the certificate of etcd %s', async (_what, make, expected) => {
    const other = await startEtcd({ tls: { ca: ca.cert, ...make() } });
    onTestFinished(() => other.stop());
    const store = open({ endpoints: [other.endpoint] });
    await expect(store.read([{ key: '/a' }], deadline())).rejects.toMatchObject(expected);
  });

  it('asks whether http and https were mixed up', async () => {
    const plain = await startEtcd();
    onTestFinished(() => plain.stop());
    const mixedUp = [etcd.endpoint.replace('https', 'http'), plain.endpoint.replace('http', 'https')];
    for (const endpoint of mixedUp) {
      const store = open({ endpoints: [endpoint] });
      await expect(store.read([{ key: '/a' }], deadline(1_000))).rejects.toMatchObject({
        kind: 'unavailable',
        message: expect.stringContaining(`cannot reach etcd at ${endpoint}: `),
        details: expect.stringContaining('check whether the URL must begin with http:// or https://'),
      });
    }
  });

  it('does not ask the same endpoints for seconds when none of them will ever do', async () => {
    const store = open({ caCertFile: otherCa.cert });
    const startMs = performance.now();
    await expect(store.read([{ key: '/a' }], deadline())).rejects.toMatchObject({ kind: 'config' });
    expect(performance.now() - startMs).toBeLessThan(4_500);
  });

  it('asks the endpoint whose certificate is good, and names the one whose is not', async () => {
    const old = makeExpiredCertificate(folder, 'older-server', ca, 'IP:127.0.0.1');
    const other = await startEtcd({ tls: { ca: ca.cert, ...old } });
    onTestFinished(() => other.stop());
    const told: string[] = [];
    const endpoints = [other.endpoint, etcd.endpoint];
    const onFailure = ({ url, error }: EndpointFailure) => void told.push(`${url}: ${error.message}`);
    const store = openEtcdStore(settings({ endpoints }), realClock, { onFailure });
    onTestFinished(() => store.close());
    for (let count = 0; count < 3; count++) await store.read([{ key: '/a' }], deadline());
    expect(told).toEqual([`${other.endpoint}: certificate has expired`]);
  });

  it('names the files when they do not fit each other', () => {
    expect(() => open({ keyFile: server.key })).toThrow(
      expect.objectContaining({
        kind: 'config',
        message: `could not initialize etcdv3 client: cannot use the TLS files ${ca.cert}, ${client.cert}, ${server.key}`,
        details: expect.stringMatching(/key values mismatch/),
      }),
    );
  });

  it.each([
    ['TLSv1.1', false],
    ['TLSv1.2', true],
  ] as const)(
    'with a server that knows no more than %s, whether it talks: %s',
    async (version, isAccepted) => {
      const options: TlsOptions = {
        cert: readFileSync(server.cert),
        key: readFileSync(server.key),
        minVersion: 'TLSv1',
        maxVersion: version,
        ciphers: 'DEFAULT@SECLEVEL=0',
        ALPNProtocols: ['h2'],
      };
      let hasTalked = false;
      const old = createServer(options, (socket) => {
        hasTalked = true;
        socket.destroy();
      });
      onTestFinished(() => void old.close());
      const store = open({ endpoints: [`https://127.0.0.1:${await listening(old)}`] });
      await expect(store.read([{ key: '/a' }], deadline(2_000))).rejects.toMatchObject({
        kind: 'unavailable',
      });
      expect(hasTalked).toBe(isAccepted);
    },
  );

  it('trusts the CAs of the system when no other is named, and not those that Node.js brings', async () => {
    const program = `
      import { openEtcdStore } from '${REPOSITORY}/src/datastore/etcd/etcd-store.ts';
      import { deadline, realClock } from '${REPOSITORY}/test/support/clock.ts';
      const store = openEtcdStore(JSON.parse(process.env.SETTINGS), realClock);
      console.log((await store.read([{ key: '/a' }], deadline())).entries.length);
      await store.close();`;
    const readWith = (caFile: string) =>
      run([process.execPath, '--input-type=module', '-e', program], {
        env: { SSL_CERT_FILE: caFile, SETTINGS: JSON.stringify(settings({ caCertFile: undefined })) },
      });
    expect(await readWith(ca.cert)).toMatchObject({ stdout: '1\n', exitCode: 0 });
    expect((await readWith(otherCa.cert)).stderr).toMatch(
      /unable to get local issuer certificate|self-signed|unable to verify/,
    );
  });
});
