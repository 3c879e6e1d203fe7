/** etcd with users, on a real one. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { ABSENT } from '../../src/base/revision.ts';
import type { EtcdUser } from '../../src/datastore/etcd/etcd-settings.ts';
import { openEtcdStore } from '../../src/datastore/etcd/etcd-store.ts';
import { openEtcd3Store } from '../../src/datastore/etcd/etcd3-store.ts';
import type { Store } from '../../src/datastore/store.ts';
import { type Identity, makeCa, makeCertificate } from '../support/certificates.ts';
import { deadline, realClock } from '../support/clock.ts';
import { type Etcd, startEtcd } from '../support/etcd.ts';
import { listen } from '../support/peer.ts';

const ROOT = { name: 'root', password: 'toor' };
/** Beyond ASCII, and with what headers and URLs would trip over. */
const CALICO = { name: 'calico', password: 'pässwörd: "%\n' };

let etcd: Etcd;
beforeAll(async () => {
  etcd = await startEtcd();
  await setUpUsers(etcd, [ROOT, CALICO]);
});
afterAll(() => etcd.stop());

/** The role is what Calico's documentation asks for, and no more. */
async function setUpUsers({ admin }: Etcd, users: readonly object[]): Promise<void> {
  await admin('auth/role/add', { name: 'calico' });
  await admin('auth/role/grant', { name: 'calico', perm: permission('READWRITE', '/calico/') });
  for (const user of users) await admin('auth/user/add', user);
  await admin('auth/user/grant', { user: 'root', role: 'root' });
  await admin('auth/user/grant', { user: 'calico', role: 'calico' });
  await admin('auth/enable', {});
}

/** `prefix` ends in a slash. */
function permission(permType: 'READ' | 'READWRITE', prefix: string) {
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  return { permType, key: base64(prefix), range_end: base64(prefix.replace(/\/$/, '0')) };
}

const put = (key: string, value = 'x') =>
  ({ expect: [{ key, revision: ABSENT }], write: [{ type: 'put', key, value }] }) as const;

describe.each([
  ['etcd', openEtcdStore],
  ['etcd, through etcd3', openEtcd3Store],
])('a store on %s with users', (name, openStore) => {
  function open(user: EtcdUser | undefined): Store {
    const files = { caCertFile: undefined, certFile: undefined, keyFile: undefined };
    const store = openStore({ endpoints: [etcd.endpoint], user, ...files }, realClock);
    onTestFinished(() => store.close());
    return store;
  }

  it('reads and writes what the user may', async () => {
    const store = open(CALICO);
    const key = `/calico/${name}`;
    expect(await store.commit(put(key), deadline())).toMatchObject({ committed: true });
    expect((await store.read([{ key }], deadline())).entries[0]?.[0]?.value).toBe('x');
  });

  it('is told what the user may not', async () => {
    const store = open(CALICO);
    const denied = {
      kind: 'denied',
      message: /denied permission of user "calico": .*: it may not (?:read|write) \/elsewhere/,
      details: /a role with read and write on the prefix \/calico\//,
    };
    await expect(store.read([{ key: '/elsewhere' }], deadline())).rejects.toMatchObject(denied);
    await expect(store.commit(put('/elsewhere'), deadline())).rejects.toMatchObject(denied);
  });

  it.each([
    [
      'a wrong password',
      { ...CALICO, password: 'wrong' },
      'did not accept the user name or password of user "calico": ',
    ],
    [
      'an unknown user',
      { name: 'nobody', password: 'x' },
      'did not accept the user name or password of user "nobody": ',
    ],
    ['no user at all', undefined, 'wants a user name and password: '],
  ])('is denied with %s, whatever it asks', async (_what, user, message) => {
    const begin = `etcd at ${etcd.endpoint} ${message}`;
    const denied = { kind: 'denied', message: expect.stringContaining(begin), details: /ETCD_USERNAME/ };
    const store = open(user);
    await expect(store.read([{ key: '/calico/a' }], deadline())).rejects.toMatchObject(denied);
    await expect(store.commit(put('/calico/a'), deadline())).rejects.toMatchObject(denied);
  });

  it('logs in again when its token is no longer valid, for a read and for a write', async () => {
    const store = open(CALICO);
    const key = `/calico/again, ${name}`;
    await store.read([{ key }], deadline());
    await dropTokens();
    expect(await store.commit(put(key), deadline())).toMatchObject({ committed: true });
    await dropTokens();
    expect((await store.read([{ key }], deadline())).entries[0]).toHaveLength(1);
  });
});

/** etcd drops the tokens of a user whose password is set, even to what it was. */
function dropTokens(): Promise<void> {
  return etcd.admin('auth/user/changepw', CALICO, ROOT);
}

describe('a store on etcd with users', () => {
  function open(endpoints: readonly string[], user: EtcdUser = CALICO): Store {
    const files = { caCertFile: undefined, certFile: undefined, keyFile: undefined };
    const store = openEtcdStore({ endpoints, user, ...files }, realClock);
    onTestFinished(() => store.close());
    return store;
  }

  it('logs in again when etcd knows newer users than its token', async () => {
    const store = open([etcd.endpoint]);
    await store.read([{ key: '/calico/a' }], deadline());
    await etcd.admin('auth/role/add', { name: 'another' }, ROOT);
    expect(await store.commit(put('/calico/newer'), deadline())).toMatchObject({ committed: true });
  });

  it('logs in once for all its requests', async () => {
    const before = await etcd.requestCounts();
    const store = open([etcd.endpoint]);
    for (let count = 0; count < 5; count++) await store.read([{ key: '/calico/a' }], deadline());
    const after = await etcd.requestCounts();
    expect((after.get('Authenticate') ?? 0) - (before.get('Authenticate') ?? 0)).toBe(1);
  });

  it('knows that a write was not sent when the line is cut in the middle of its login, and sends it elsewhere', async () => {
    const cutting = await listen((socket) => socket.once('data', () => socket.destroy()));
    const store = open([`http://127.0.0.1:${cutting}`, etcd.endpoint]);
    expect(await store.commit(put('/calico/elsewhere'), deadline())).toMatchObject({ committed: true });
  });

  it('names the very keys that a user may not read, or may only read', async () => {
    await etcd.admin('auth/role/add', { name: 'reader' }, ROOT);
    for (const perm of [permission('READ', '/calico/'), permission('READWRITE', '/calico/ipam/')]) {
      await etcd.admin('auth/role/grant', { name: 'reader', perm }, ROOT);
    }
    const reader = { name: 'reader', password: 'r' };
    await etcd.admin('auth/user/add', reader, ROOT);
    await etcd.admin('auth/user/grant', { user: 'reader', role: 'reader' }, ROOT);
    const store = open([etcd.endpoint], reader);
    const put = (key: string) => ({ type: 'put', key, value: 'x' }) as const;
    const keys = ['/calico/ipam/a', '/calico/resources/b', '/calico/resources/c'];
    const absent = keys.map((key) => ({ key, revision: ABSENT }));
    const commit = store.commit({ expect: absent, write: keys.map(put) }, deadline());
    await expect(commit).rejects.toMatchObject({
      kind: 'denied',
      message: /: it may not write \/calico\/resources\/b and 1 more$/,
      details: /not allowed: write \/calico\/resources\/b, write \/calico\/resources\/c$/,
    });
    expect(
      (
        await store.read(
          keys.map((key) => ({ key })),
          deadline(),
        )
      ).entries.flat(),
    ).toEqual([]);
    await expect(store.read([{ key: keys[0] ?? '' }, { prefix: '/registry/' }], deadline())).rejects.toThrow(
      /it may not read \/registry\/\*$/,
    );
  });
});

describe('a store on etcd without users', () => {
  it('is told to leave out the password', async () => {
    const plain = await startEtcd();
    onTestFinished(() => plain.stop());
    const files = { caCertFile: undefined, certFile: undefined, keyFile: undefined };
    const store = openEtcdStore({ endpoints: [plain.endpoint], user: CALICO, ...files }, realClock);
    onTestFinished(() => store.close());
    await expect(store.read([{ key: '/calico/a' }], deadline())).rejects.toMatchObject({
      kind: 'denied',
      message: /has no users: .*authentication is not enabled/,
      details: /leave out ETCD_USERNAME and ETCD_PASSWORD/,
    });
  });
});

describe('a store on etcd that knows its users by their certificates', () => {
  let folder: string;
  let ca: Identity;
  let secured: Etcd;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'users-'));
    ca = makeCa(folder, 'ca');
    secured = await startEtcd({
      tls: { ca: ca.cert, ...makeCertificate(folder, 'server', ca, 'IP:127.0.0.1') },
    });
    const calico = { name: 'calico', options: { no_password: true } };
    await setUpUsers(secured, [ROOT, calico]);
  });
  afterAll(async () => {
    await secured.stop();
    rmSync(folder, { recursive: true });
  });

  function open(commonName: string): Store {
    const { cert, key } = makeCertificate(folder, commonName, ca, 'DNS:client');
    const files = { caCertFile: ca.cert, certFile: cert, keyFile: key };
    const store = openEtcdStore({ endpoints: [secured.endpoint], user: undefined, ...files }, realClock);
    onTestFinished(() => store.close());
    return store;
  }

  it('needs no password, and has the role of the common name', async () => {
    const store = open('calico');
    expect(await store.commit(put('/calico/by-name'), deadline())).toMatchObject({ committed: true });
    await expect(store.read([{ key: '/elsewhere' }], deadline())).rejects.toMatchObject({
      kind: 'denied',
      message: /denied permission of the user that .*calico\.pem names: .*: it may not read \/elsewhere$/,
    });
  });

  it('is denied everything when nobody has the common name', async () => {
    await expect(open('nobody').read([{ key: '/calico/a' }], deadline())).rejects.toMatchObject({
      kind: 'denied',
      message: /nobody\.pem/,
    });
  });
});
