/** etcd with users, on a real one. */

import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { ABSENT } from '../../src/base/revision.ts';
import type { EtcdUser } from '../../src/datastore/etcd/etcd-settings.ts';
import { openEtcdStore } from '../../src/datastore/etcd/etcd-store.ts';
import { openEtcd3Store } from '../../src/datastore/etcd/etcd3-store.ts';
import type { Store } from '../../src/datastore/store.ts';
import { deadline, realClock } from '../support/clock.ts';
import { type Etcd, startEtcd } from '../support/etcd.ts';
import { listen } from '../support/peer.ts';

const ROOT = { name: 'root', password: 'toor' };
/** Beyond ASCII, and with what headers and URLs would trip over. */
const CALICO = { name: 'calico', password: 'pässwörd: "%\n' };

let etcd: Etcd;
beforeAll(async () => {
  etcd = await startEtcd();
  const key = Buffer.from('/calico/').toString('base64');
  const range_end = Buffer.from('/calico0').toString('base64');
  await etcd.admin('auth/role/add', { name: 'calico' });
  await etcd.admin('auth/role/grant', { name: 'calico', perm: { permType: 'READWRITE', key, range_end } });
  for (const user of [ROOT, CALICO]) await etcd.admin('auth/user/add', user);
  await etcd.admin('auth/user/grant', { user: 'root', role: 'root' });
  await etcd.admin('auth/user/grant', { user: 'calico', role: 'calico' });
  await etcd.admin('auth/enable', {});
});
afterAll(() => etcd.stop());

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
      message: /denied permission: grant the user read and write on \/calico\/$/,
    };
    await expect(store.read([{ key: '/elsewhere' }], deadline())).rejects.toMatchObject(denied);
    await expect(store.commit(put('/elsewhere'), deadline())).rejects.toMatchObject(denied);
  });

  it.each([
    ['a wrong password', { ...CALICO, password: 'wrong' }, 'did not accept the user name or password'],
    ['an unknown user', { name: 'nobody', password: 'x' }, 'did not accept the user name or password'],
    ['no user at all', undefined, 'wants a user name and password: set ETCD_USERNAME and ETCD_PASSWORD'],
  ])('is denied with %s, whatever it asks', async (_what, user, message) => {
    const denied = { kind: 'denied', message: `etcd at ${etcd.endpoint} ${message}` };
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
  function open(endpoints: readonly string[]): Store {
    const files = { caCertFile: undefined, certFile: undefined, keyFile: undefined };
    const store = openEtcdStore({ endpoints, user: CALICO, ...files }, realClock);
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
});
