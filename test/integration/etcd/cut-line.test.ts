/** Where the line to a real etcd is cut decides what a client may believe of its request. */

import { setImmediate } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { ABSENT } from '../../../src/base/revision.ts';
import { AmbiguousCommitError } from '../../../src/datastore/ambiguous-commit.ts';
import { openEtcdStore } from '../../../src/datastore/etcd/etcd-store.ts';
import { openEtcd3Store } from '../../../src/datastore/etcd/etcd3-store.ts';
import type { Store } from '../../../src/datastore/store.ts';
import { deadline, realClock } from '../../support/clock.ts';
import { type Etcd, startEtcd } from '../../support/etcd.ts';
import { type Line, layLine } from '../../support/line.ts';

let etcd: Etcd;
beforeAll(async () => {
  etcd = await startEtcd();
});
afterAll(() => etcd.stop());
beforeEach(() => etcd.wipe());

const portOf = (endpoint: string): number => Number(endpoint.split(':').at(-1));
const create = (value: string) =>
  ({ expect: [{ key: '/a', revision: ABSENT }], write: [{ type: 'put', key: '/a', value }] }) as const;

/** More than a server is ready for before it has seen any of it. */
const LARGE = 'x'.repeat(1_000_000);

describe.each([
  ['etcd', openEtcdStore],
  ['etcd, through etcd3', openEtcd3Store],
])('a store on %s over a line that is cut', (_name, openStore) => {
  async function open(...more: readonly string[]): Promise<{ readonly line: Line; readonly store: Store }> {
    const line = await layLine(portOf(etcd.endpoint));
    const files = { caCertFile: undefined, certFile: undefined, keyFile: undefined };
    const endpoints = [`http://127.0.0.1:${line.port}`, ...more];
    const store = openStore({ endpoints, user: undefined, ...files }, realClock);
    onTestFinished(() => store.close());
    return { line, store };
  }

  it('reads from another endpoint, wherever it is cut', async () => {
    await etcd.put('/a', 'x'.repeat(2_000));
    for (const direction of ['request', 'response'] as const) {
      for (const byteCount of [0, 1, 30, 100, 150, 300, 1_000]) {
        const { line, store } = await open(etcd.endpoint);
        line.cutAfter(direction, byteCount);
        const { entries } = await store.read([{ key: '/a' }], deadline());
        expect(entries[0]?.[0]?.value).toHaveLength(2_000);
        await store.close();
      }
    }
  });

  it('writes over a new connection when the old one was cut between two requests', async () => {
    const { line, store } = await open();
    await store.read([{ key: '/a' }], deadline());
    line.cut();
    await realClock.sleep(50);
    // What has come while everything stood still is read after the timers.
    await setImmediate();
    expect(await store.commit(create('x'), deadline())).toMatchObject({ committed: true });
  });

  it('does not know what became of a write that was sent and not answered', async () => {
    const { line, store } = await open(etcd.endpoint);
    await store.read([{ key: '/a' }], deadline());
    line.hold('response');
    const commit = store.commit(create('x'), deadline());
    commit.catch(() => undefined);
    while ((await etcd.get('/a')) === undefined) await realClock.sleep(5);
    line.cut();
    await expect(commit).rejects.toThrow(AmbiguousCommitError);
  });

  it('never says of a write that was applied that it failed, wherever it is cut', async () => {
    const outcomes = new Set<string>();
    for (const direction of ['request', 'response'] as const) {
      for (let byteCount = 0; byteCount <= 180; byteCount += 12) {
        await etcd.wipe();
        const { line, store } = await open();
        await store.read([{ key: '/b' }], deadline());
        line.cutAfter(direction, byteCount);
        const outcome = await store.commit(create('x'), deadline()).then(
          ({ committed }) => (committed ? 'committed' : 'lost'),
          (error) => (error instanceof AmbiguousCommitError ? 'unknown' : String(error)),
        );
        outcomes.add(outcome);
        expect(['committed', 'unknown']).toContain(outcome);
        if (outcome === 'committed') expect(await etcd.get('/a')).toBe('x');
        await store.close();
      }
    }
    expect(outcomes).toEqual(new Set(['committed', 'unknown']));
  });

  it('does not know either when it is cut in the middle of the answer', async () => {
    await etcd.put('/a', LARGE);
    const { line, store } = await open(etcd.endpoint);
    line.cutAfter('response', 500_000);
    await expect(store.commit(create('x'), deadline())).rejects.toThrow(AmbiguousCommitError);
    expect(line.passed('response')).toBe(500_000);
  });
});

describe('a store on etcd over a line that is cut', () => {
  const open = (...endpoints: readonly string[]): Store => {
    const files = { caCertFile: undefined, certFile: undefined, keyFile: undefined };
    const store = openEtcdStore({ endpoints, user: undefined, ...files }, realClock);
    onTestFinished(() => store.close());
    return store;
  };

  it('sends a write elsewhere when part of it never left', async () => {
    const line = await layLine(portOf(etcd.endpoint));
    line.cutAfter('request', 20_000);
    const store = open(`http://127.0.0.1:${line.port}`, etcd.endpoint);
    expect(await store.commit(create(LARGE), deadline())).toMatchObject({ committed: true });
    expect(await etcd.get('/a')).toBe(LARGE);
  });

  it('does not, when all of it was handed over and etcd got half', async () => {
    const line = await layLine(portOf(etcd.endpoint));
    const store = open(`http://127.0.0.1:${line.port}`, etcd.endpoint);
    line.cutAfter('request', 200);
    await expect(store.commit(create('x'.repeat(500)), deadline())).rejects.toThrow(AmbiguousCommitError);
    expect(await etcd.get('/a')).toBeUndefined();
  });

  it('sends a write elsewhere when nobody listens', async () => {
    const store = open('http://127.0.0.1:1', etcd.endpoint);
    expect(await store.commit(create('x'), deadline())).toMatchObject({ committed: true });
  });

  it('does not ask again over a connection that has fallen silent', async () => {
    const line = await layLine(portOf(etcd.endpoint));
    const store = open(`http://127.0.0.1:${line.port}`);
    await store.read([{ key: '/a' }], deadline());
    line.hold('response');
    await expect(store.read([{ key: '/a' }], deadline(300))).rejects.toMatchObject({ kind: 'unavailable' });
    await store.read([{ key: '/a' }], deadline(5_000));
  });

  it('does not know what became of a write that is under way when it is closed', async () => {
    const store = open(etcd.endpoint);
    await store.read([{ key: '/b' }], deadline());
    etcd.pause();
    onTestFinished(() => etcd.resume());
    const commit = store.commit(create('x'), deadline());
    await store.close();
    await expect(commit).rejects.toThrow(AmbiguousCommitError);
    await expect(store.read([{ key: '/a' }], deadline())).rejects.toMatchObject({ kind: 'internal' });
  });
});
