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
import type { Store } from '../../src/datastore/store.ts';
import { type Identity, makeCa, makeCertificate } from '../support/certificates.ts';
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
    ['the CA of the server is another one', () => ({ caCertFile: otherCa.cert }), /certificate|self-signed/],
    ['a client certificate is of another CA', () => otherCaClient(), /./],
    ['there is no client certificate', () => ({ certFile: undefined, keyFile: undefined }), /./],
    ['the URL says http', () => ({ endpoints: [at('localhost').replace('https', 'http')] }), /./],
  ])('is refused when %s', async (_what, changes, message) => {
    const store = open(changes());
    await expect(store.read([{ key: '/a' }], deadline(1_000))).rejects.toMatchObject({
      kind: 'unavailable',
      message: expect.stringMatching(message),
    });
  });

  function otherCaClient(): Partial<EtcdSettings> {
    const { cert, key } = makeCertificate(folder, 'stranger', otherCa, 'DNS:client');
    return { certFile: cert, keyFile: key };
  }

  it('is refused by a server whose certificate is for another name', async () => {
    const other = makeCertificate(folder, 'elsewhere', ca, 'DNS:elsewhere.example,IP:127.0.0.2');
    const elsewhere = await startEtcd({ tls: { ca: ca.cert, ...other } });
    onTestFinished(() => elsewhere.stop());
    for (const host of hosts) {
      const store = open({ endpoints: [elsewhere.endpoint.replace('127.0.0.1', host)] });
      await expect(store.read([{ key: '/a' }], deadline(1_000))).rejects.toMatchObject({
        kind: 'unavailable',
        message: expect.stringMatching(/does not match certificate's altnames/),
      });
    }
  });

  it('names a file that is no PEM', () => {
    const path = join(folder, 'ca.der');
    writeFileSync(path, Buffer.from('3082', 'hex'));
    expect(() => open({ caCertFile: path })).toThrow(`cannot read etcd_ca_cert_file ${path}`);
  });
});

describe('a store on etcd over TLS', () => {
  const open = (changes: Partial<EtcdSettings> = {}): Store => {
    const store = openEtcdStore(settings(changes), realClock);
    onTestFinished(() => store.close());
    return store;
  };

  it('knows that a write was not sent when the server wants another certificate', async () => {
    const store = open({ certFile: undefined, keyFile: undefined });
    const commit = store.commit(create('/refused'), deadline(1_000));
    await expect(commit).rejects.toMatchObject({
      name: 'CalicoError',
      message: /certificate required|bad certificate/,
    });
  });

  it('asks whether http and https were mixed up', async () => {
    const store = open({ endpoints: [etcd.endpoint.replace('https', 'http')] });
    await expect(store.read([{ key: '/a' }], deadline(1_000))).rejects.toThrow(
      'http:// and https:// mixed up',
    );
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
      await expect(store.read([{ key: '/a' }], deadline(500))).rejects.toMatchObject({ kind: 'unavailable' });
      expect(hasTalked).toBe(isAccepted);
    },
  );

  it('trusts the CAs of the system when no other is named, and not those that Node.js brings', async () => {
    const program = `
      import { openEtcdStore } from '${REPOSITORY}/src/datastore/etcd/etcd-store.ts';
      import { deadline, realClock } from '${REPOSITORY}/test/support/clock.ts';
      const store = openEtcdStore(JSON.parse(process.env.SETTINGS), realClock);
      console.log((await store.read([{ key: '/a' }], deadline(2_000))).entries.length);
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
