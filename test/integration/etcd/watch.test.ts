/** A watch of a real etcd through everything that can become of etcd and of the line to it. */

import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import type { Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { createInterrupter } from '../../../src/base/interruption.ts';
import type { EtcdSettings } from '../../../src/datastore/etcd/etcd-settings.ts';
import { openEtcdWatch } from '../../../src/datastore/etcd/etcd-watch.ts';
import type { Watch } from '../../../src/datastore/watch.ts';
import { makeCa, makeCertificate } from '../../support/certificates.ts';
import { realClock } from '../../support/clock.ts';
import { type Etcd, startEtcd } from '../../support/etcd.ts';
import { layLine } from '../../support/line.ts';
import { listening } from '../../support/peer.ts';

/** Of watches that are to find out that etcd is silent. */
const PATIENCE_MS = 500;
const NO_FILES = { caCertFile: undefined, certFile: undefined, keyFile: undefined, user: undefined };
const GONE = { name: 'CalicoError', kind: 'unavailable' };

function open(endpoints: readonly string[], changes: Partial<EtcdSettings> = {}): Watch {
  return openEtcdWatch({ endpoints, ...NO_FILES, ...changes }, realClock);
}

function openImpatient(...endpoints: readonly string[]): Watch {
  return openEtcdWatch({ endpoints, ...NO_FILES }, realClock, { patienceMs: PATIENCE_MS });
}

/** Follows everything under /calico/ from now on; gives what comes of it once it has begun. */
async function begin(watch: Watch, prefix = '/calico/') {
  const { interruption, interrupt } = createInterrupter();
  onTestFinished(() => interrupt('the end of the test'));
  const begun = Promise.withResolvers<void>();
  let onKey = (_key: string): void => undefined;
  const ended = watch.follow({
    ranges: [{ prefix, from: '0' }],
    listener: {
      onBegin: () => begun.resolve(),
      onChanges: (_range, changes) => changes.forEach(({ key }) => void onKey(key)),
      onProgress: () => undefined,
    },
    interruption,
  });
  ended.catch(begun.reject);
  await begun.promise;
  const hears = (wanted: string) =>
    new Promise<void>((resolve) => {
      onKey = (key) => key === wanted && resolve();
    });
  return { ended, hears, interrupt };
}

function standStill(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

describe('a watch of an etcd that fails', () => {
  let etcd: Etcd;
  beforeAll(async () => {
    etcd = await startEtcd();
  });
  afterAll(() => etcd.stop());
  const port = () => Number(new URL(etcd.endpoint).port);

  it('stays while nothing happens for longer than its patience', async () => {
    const { ended, hears } = await begin(openImpatient(etcd.endpoint));
    const end = ended.catch((error) => error);
    const quiet = new Promise((resolve) => setTimeout(resolve, 6 * PATIENCE_MS, 'still there'));
    expect(await Promise.race([end, quiet])).toBe('still there');
    const heard = hears('/calico/a');
    await etcd.put('/calico/a', 'x');
    await heard;
  });

  it('stays when it is this process that stood still for longer than its patience', async () => {
    const { ended, hears } = await begin(openImpatient(etcd.endpoint));
    const end = ended.catch((error) => error);
    // From then on always when it has just asked whether etcd is there, and the answer is on its way.
    const standing = setInterval(() => setImmediate(standStill, 1.5 * PATIENCE_MS), PATIENCE_MS);
    standStill(1.5 * PATIENCE_MS);
    await sleep(4 * PATIENCE_MS);
    clearInterval(standing);
    const heard = hears('/calico/b');
    await etcd.put('/calico/b', 'x');
    expect(await Promise.race([end, heard])).toBeUndefined();
  });

  it('ends when etcd stops without a word', async () => {
    const { ended } = await begin(openImpatient(etcd.endpoint));
    etcd.pause();
    onTestFinished(() => etcd.resume());
    await expect(ended).rejects.toMatchObject({ ...GONE, message: /no sign of life for 1000 ms/ });
  });

  it.each(['request', 'response'] as const)('ends when nothing gets through as a %s', async (direction) => {
    const line = await layLine(port());
    const { ended } = await begin(openImpatient(`http://127.0.0.1:${line.port}`));
    line.hold(direction);
    await expect(ended).rejects.toMatchObject({ ...GONE, message: /no sign of life/ });
  });

  it('ends when etcd accepts the connection and says nothing', async () => {
    etcd.pause();
    onTestFinished(() => etcd.resume());
    await expect(begin(openImpatient(etcd.endpoint))).rejects.toMatchObject(GONE);
  });

  it('ends when the line is cut, and begins again at the next endpoint', async () => {
    const line = await layLine(port());
    const watch = open([`http://127.0.0.1:${line.port}`, etcd.endpoint]);
    const { ended } = await begin(watch);
    line.cut();
    await expect(ended).rejects.toMatchObject({
      ...GONE,
      message: new RegExp(`at http://127.0.0.1:${line.port}`),
    });
    const passed = line.passed('request');
    await begin(watch);
    expect(line.passed('request')).toBe(passed);
  });

  it('ends when etcd is killed, and begins again when it is back', async () => {
    const watch = open([etcd.endpoint]);
    const { ended } = await begin(watch);
    await etcd.crash();
    await expect(ended).rejects.toMatchObject(GONE);
    await expect(begin(watch)).rejects.toMatchObject({ ...GONE, message: /ECONNREFUSED/ });
    await etcd.restart();
    await begin(watch);
  });
});

describe('a watch of a member without a leader', () => {
  it('is ended by that member, which is asked to', async () => {
    const server = createServer();
    let headers: IncomingHttpHeaders = {};
    server.on('stream', (stream: ServerHttp2Stream, received) => {
      headers = received;
      stream.respond({ ':status': 200 }, { waitForTrailers: true });
      stream.on('wantTrailers', () =>
        stream.sendTrailers({ 'grpc-status': '14', 'grpc-message': 'etcdserver: no leader' }),
      );
      stream.end();
    });
    onTestFinished(() => void server.close());
    // Its types do not say that it is a server of connections.
    const port = await listening(server as unknown as Server);
    const watch = open([`http://127.0.0.1:${port}`]);
    await expect(begin(watch)).rejects.toMatchObject({ ...GONE, message: /no leader/ });
    expect(headers.hasleader).toBe('true');
  });
});

describe('a watch of an etcd over TLS', () => {
  let etcd: Etcd;
  let folder: string;
  let files: Partial<EtcdSettings>;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'watch-'));
    const ca = makeCa(folder, 'ca');
    const server = makeCertificate(folder, 'server', ca, 'IP:127.0.0.1,DNS:localhost');
    const client = makeCertificate(folder, 'client', ca, 'DNS:client');
    files = { caCertFile: ca.cert, certFile: client.cert, keyFile: client.key };
    etcd = await startEtcd({ tls: { ca: ca.cert, ...server } });
  });
  afterAll(async () => {
    await etcd.stop();
    rmSync(folder, { recursive: true });
  });

  it.each(['127.0.0.1', 'localhost'])('hears of changes at https://%s', async (host) => {
    const { hears } = await begin(open([etcd.endpoint.replace('127.0.0.1', host)], files));
    const heard = hears('/calico/a');
    await etcd.put('/calico/a', 'x');
    await heard;
  });

  it('is refused with a certificate of another CA, and says so', async () => {
    const stranger = makeCertificate(folder, 'stranger', makeCa(folder, 'other-ca'), 'DNS:client');
    const watch = open([etcd.endpoint], { ...files, certFile: stranger.cert, keyFile: stranger.key });
    await expect(begin(watch)).rejects.toMatchObject({ kind: 'denied', message: /stranger\.pem/ });
  });

  it('does not trust a server whose CA it does not know', async () => {
    const caCertFile = makeCa(folder, 'unknown-ca').cert;
    await expect(begin(open([etcd.endpoint], { ...files, caCertFile }))).rejects.toMatchObject({
      kind: 'config',
    });
  });
});

describe('a watch of an etcd with users', () => {
  const ROOT = { name: 'root', password: 'toor' };
  const CALICO = { name: 'calico', password: 'pässwörd' };
  let etcd: Etcd;
  beforeAll(async () => {
    etcd = await startEtcd();
    const base64 = (text: string) => Buffer.from(text).toString('base64');
    const perm = { permType: 'READWRITE', key: base64('/calico/'), range_end: base64('/calico0') };
    await etcd.admin('auth/role/add', { name: 'calico' });
    await etcd.admin('auth/role/grant', { name: 'calico', perm });
    for (const user of [ROOT, CALICO]) await etcd.admin('auth/user/add', user);
    await etcd.admin('auth/user/grant', { user: 'root', role: 'root' });
    await etcd.admin('auth/user/grant', { user: 'calico', role: 'calico' });
    await etcd.admin('auth/enable', {});
  });
  afterAll(() => etcd.stop());

  it('begins as its user, and again with a new token when the old one is no longer good', async () => {
    const watch = open([etcd.endpoint], { user: CALICO });
    const { interrupt, ended } = await begin(watch);
    interrupt('enough');
    await expect(ended).rejects.toMatchObject(GONE);
    // etcd drops the tokens of a user whose password is set, even to what it was.
    await etcd.admin('auth/user/changepw', CALICO, ROOT);
    await begin(watch);
  });

  it.each([
    ['what the user may not read', CALICO, '/elsewhere/'],
    ['a wrong password', { ...CALICO, password: 'wrong' }, '/calico/'],
    ['no user', undefined, '/calico/'],
  ])('is denied %s', async (_what, user, prefix) => {
    await expect(begin(open([etcd.endpoint], { user }), prefix)).rejects.toMatchObject({ kind: 'denied' });
  });
});
