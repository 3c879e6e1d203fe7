/** `calico install` for an etcd that wants to see a certificate: the secrets are tested before they are on the host. */

import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Identity, makeCa, makeCertificate } from '../support/certificates.ts';
import { type Etcd, startEtcd } from '../support/etcd.ts';
import { executable } from '../support/executable.ts';
import { makeLibraryHost } from '../support/library-host.ts';
import { output, run } from '../support/run.ts';

const PLUGIN = {
  name: 'test',
  cniVersion: '1.0.0',
  type: 'calico',
  datastore_type: '__DATASTORE_TYPE__',
  etcd_endpoints: '__ETCD_ENDPOINTS__',
  etcd_ca_cert_file: '__ETCD_CA_CERT_FILE__',
  etcd_cert_file: '__ETCD_CERT_FILE__',
  etcd_key_file: '__ETCD_KEY_FILE__',
  ipam: { type: 'calico-ipam' },
};

describe('calico install, with etcd over TLS', () => {
  let folder: string;
  let host: string;
  let ca: Identity;
  let client: Identity;
  let etcd: Etcd;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'install-tls-'));
    ca = makeCa(folder, 'ca');
    const server = makeCertificate(folder, 'server', ca, 'IP:127.0.0.1');
    client = makeCertificate(folder, 'client', ca, 'DNS:client');
    etcd = await startEtcd({ tls: { ca: ca.cert, ...server } });
    const flags = [
      '--etcd-ca-cert-file',
      ca.cert,
      '--etcd-cert-file',
      client.cert,
      '--etcd-key-file',
      client.key,
    ];
    const pool = ['--pool', '10.8.0.0/16', '--node', 'node1', '--etcd-endpoints', etcd.endpoint];
    await output([executable('calico'), 'bootstrap', ...pool, ...flags]);
  });
  afterAll(async () => {
    await etcd.stop();
    rmSync(folder, { recursive: true });
  });
  beforeEach(() => {
    host = mkdtempSync(join(folder, 'host-'));
    makeLibraryHost(host, executable('calico'));
  });

  const secrets = (name: string, files: Readonly<Record<string, string>>): string => {
    const path = join(folder, name);
    mkdirSync(path, { recursive: true });
    for (const [file, from] of Object.entries(files)) copyFileSync(from, join(path, file));
    return path;
  };
  const install = (tlsFolder: string) =>
    run([executable('calico'), 'install', '--host', host], {
      env: {
        CNI_NETWORK_CONFIG: JSON.stringify(PLUGIN),
        ETCD_ENDPOINTS: etcd.endpoint,
        TLS_ASSETS_DIR: tlsFolder,
      },
    });
  const conf = () => join(host, 'etc/cni/net.d/10-calico.conflist');

  it('puts them where the configuration names them', async () => {
    const good = { 'etcd-ca': ca.cert, 'etcd-cert': client.cert, 'etcd-key': client.key };
    expect(await install(secrets('good', good))).toMatchObject({ exitCode: 0, stderr: '' });
    const { etcd_ca_cert_file, etcd_cert_file, etcd_key_file } = JSON.parse(readFileSync(conf(), 'utf8'));
    expect([etcd_ca_cert_file, etcd_cert_file, etcd_key_file]).toEqual(
      Object.keys(good).map((name) => `/etc/cni/net.d/calico-tls/${name}`),
    );
    expect(readFileSync(join(host, etcd_key_file), 'utf8')).toBe(readFileSync(client.key, 'utf8'));
  });

  it('writes nothing with a CA that does not vouch for etcd', async () => {
    const { cert } = makeCa(folder, 'other-ca');
    const tls = secrets('bad', { 'etcd-ca': cert, 'etcd-cert': client.cert, 'etcd-key': client.key });
    const { exitCode, stderr } = await install(tls);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/certificate/);
    expect(existsSync(join(host, 'opt'))).toBe(false);
  });

  it('writes nothing with a certificate that has no key', async () => {
    const { exitCode, stderr } = await install(
      secrets('half', { 'etcd-ca': ca.cert, 'etcd-cert': client.cert }),
    );
    expect(exitCode).toBe(1);
    expect(stderr).toContain('etcd_cert_file is set but etcd_key_file is not');
    expect(existsSync(join(host, 'opt'))).toBe(false);
  });
});
