/** Leases on a real etcd. */

import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { ABSENT } from '../../../src/base/revision.ts';
import { openEtcdLeases } from '../../../src/datastore/etcd/etcd-leases.ts';
import { openEtcdStore } from '../../../src/datastore/etcd/etcd-store.ts';
import { deadline, realClock } from '../../support/clock.ts';
import { type Etcd, startEtcd } from '../../support/etcd.ts';

let etcd: Etcd;
beforeAll(async () => {
  etcd = await startEtcd();
});
afterAll(() => etcd.stop());

function open(...others: readonly string[]) {
  const files = { caCertFile: undefined, certFile: undefined, keyFile: undefined };
  const settings = { endpoints: [...others, etcd.endpoint], user: undefined, ...files };
  const store = openEtcdStore(settings, realClock);
  const leases = openEtcdLeases(settings, realClock);
  onTestFinished(() => {
    leases.close();
    return store.close();
  });
  const put = (key: string, lease: string) =>
    store.commit(
      { expect: [{ key, revision: ABSENT }], write: [{ type: 'put', key, value: 'x', lease }] },
      deadline(),
    );
  return { leases, put };
}

it('keys live as long as their lease is renewed, and no longer', async () => {
  const { leases, put } = open();
  const [renewed, forgotten] = [await leases.grant(3, deadline()), await leases.grant(1, deadline())];
  await put('/renewed', renewed);
  await put('/forgotten', forgotten);
  const isOver = async (atMs: number) =>
    performance.now() > atMs && (await etcd.get('/forgotten')) === undefined;
  for (const endMs = performance.now() + 5_000; !(await isOver(endMs)); await sleep(100))
    expect(await leases.renew(renewed, deadline())).toBe(true);
  expect(await etcd.get('/renewed')).toBe('x');
  expect(await leases.renew(forgotten, deadline())).toBe(false);
});

it('keys go at once with a lease that is given up, once and again', async () => {
  const { leases, put } = open();
  const lease = await leases.grant(60, deadline());
  await put('/given-up', lease);
  await leases.revoke(lease, deadline());
  expect(await etcd.get('/given-up')).toBeUndefined();
  await leases.revoke(lease, deadline());
});

it('another endpoint is asked when one does not answer', async () => {
  const { leases } = open('http://127.0.0.1:1');
  const lease = await leases.grant(60, deadline());
  expect(await leases.renew(lease, deadline())).toBe(true);
});

it('fails with each endpoint’s reason when none answers', async () => {
  const files = { caCertFile: undefined, certFile: undefined, keyFile: undefined };
  const endpoints = ['http://127.0.0.1:1', 'http://127.0.0.1:2'];
  const leases = openEtcdLeases({ endpoints, user: undefined, ...files }, realClock);
  await expect(leases.grant(60, deadline())).rejects.toMatchObject({
    kind: 'unavailable',
    message: /127.0.0.1:1: .*ECONNREFUSED.*127.0.0.1:2: .*ECONNREFUSED/,
  });
});
