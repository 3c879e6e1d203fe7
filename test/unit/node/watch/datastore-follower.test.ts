import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { Clock } from '../../../../src/base/deadline.ts';
import type { WatchedPrefix } from '../../../../src/node/watch/watched-prefix.ts';
import { follow, hastyClock } from '../../../support/followed.ts';
import { createMemoryDatastore, type MemoryDatastore } from '../../../support/memory-watch.ts';

const PREFIXES: readonly WatchedPrefix[] = [
  { prefix: '/nodes/', isEssential: true, isSparse: false },
  { prefix: '/blocks/', isEssential: false, isSparse: false },
  { prefix: '/endpoints/', isEssential: false, isSparse: true },
];
const isWanted = (key: string) => !key.startsWith('/endpoints/') || key.includes('/own-');

async function open(...keys: readonly string[]) {
  const datastore = createMemoryDatastore();
  for (const key of ['/nodes/one', ...keys]) await datastore.put(key, `first ${key}`);
  const { store, watch } = datastore;
  const options = { store, watch, prefixes: PREFIXES, isWanted, clock: hastyClock(5) };
  return { datastore, options: { ...options, pace: { quietMs: 2, longestMs: 20 } } };
}

/** Long enough for everything that could be told to be told. */
const SETTLED_MS = 40;
const text = (values: ReadonlyMap<string, string>) =>
  [...values].map(([key, value]) => `${key}: ${value}`).sort();

describe('DatastoreFollower', () => {
  it('tells of everything, then of what changes', async () => {
    const { datastore, options } = await open('/blocks/1', '/elsewhere/1');
    const { batches, values, until } = follow(options);
    await until(() => batches.length === 1);
    expect(batches[0]).toMatchObject({ cause: 'picture', revision: '4' });
    expect(text(values)).toEqual(['/blocks/1: first /blocks/1', '/nodes/one: first /nodes/one']);
    await datastore.put('/blocks/2', 'new');
    await datastore.remove('/blocks/1');
    await until(() => values.has('/blocks/2') && !values.has('/blocks/1'));
    expect(batches.slice(1).every(({ cause }) => cause === 'changes')).toBe(true);
    expect(batches.at(-1)?.revision).toBe('6');
  });

  it('gathers a storm into few batches, each key once, the last value', async () => {
    const { datastore, options } = await open();
    const { batches, values, until } = follow(options);
    await until(() => batches.length === 1);
    for (let i = 0; i < 500; i++) await datastore.put(`/blocks/${i % 10}`, String(i));
    await until(() => values.get('/blocks/9') === '499');
    expect(batches.length).toBeLessThan(20);
    for (const { changes } of batches)
      expect(new Set(changes.map(({ key }) => key)).size).toBe(changes.length);
  });

  it('tells nothing while the datastore is out of reach, and then what was missed', async () => {
    const { datastore, options } = await open('/blocks/1', '/blocks/2');
    const { batches, events, values, until } = follow(options);
    await until(() => batches.length === 1);
    datastore.disconnect();
    await until(() => events.filter(({ type }) => type === 'disconnected').length >= 3);
    expect(batches).toHaveLength(1);
    datastore.connect();
    await datastore.write([{ type: 'delete', key: '/blocks/1' }]);
    await datastore.put('/blocks/3', 'new');
    await until(() => values.has('/blocks/3'));
    expect(batches.slice(1).flatMap(({ changes }) => changes.map(({ key }) => key))).toEqual([
      '/blocks/1',
      '/blocks/3',
    ]);
    expect(events.filter(({ type }) => type === 'reading')).toHaveLength(1);
  });

  it('reads again when what was missed has been forgotten, and tells only the difference', async () => {
    const { datastore, options } = await open('/blocks/1', '/blocks/2', '/blocks/3');
    const { batches, values, until } = follow(options);
    await until(() => batches.length === 1);
    datastore.disconnect();
    datastore.connect();
    await datastore.remove('/blocks/1');
    await datastore.put('/blocks/2', 'changed');
    datastore.compact();
    await until(() => values.get('/blocks/2') === 'changed');
    expect(batches).toHaveLength(2);
    expect(batches[1]).toMatchObject({ cause: 'picture' });
    expect(batches[1]?.changes.map(({ key, value }) => `${key} ${value}`)).toEqual([
      '/blocks/2 changed',
      '/blocks/1 undefined',
    ]);
  });

  it('tells of everything again in another cluster', async () => {
    const { datastore, options } = await open('/blocks/1');
    const { batches, until } = follow(options);
    await until(() => batches.length === 1);
    datastore.becomeAnother('two');
    datastore.disconnect();
    datastore.connect();
    await until(() => batches.length === 2);
    expect(batches[1]?.changes.map(({ key }) => key)).toEqual(['/nodes/one', '/blocks/1']);
  });

  it.each([
    ['a change', (d: MemoryDatastore) => d.put('/blocks/2', 'lost')],
    ['a new key', (d: MemoryDatastore) => d.put('/blocks/3', 'lost')],
    ['a deletion', (d: MemoryDatastore) => d.remove('/blocks/2')],
  ])('notices a backup that lacks %s, also when it has gone past what was heard', async (_, change) => {
    const { datastore, options } = await open('/blocks/1', '/blocks/2');
    const { batches, values, events, until } = follow(options);
    await until(() => batches.length === 1);
    const backup = datastore.revision();
    await change(datastore);
    await until(() => batches.length === 2);
    datastore.disconnect();
    datastore.rewind(backup);
    datastore.connect();
    for (let n = 0; n < 5; n++) await datastore.put('/blocks/1', `after ${n}`);
    await until(() => values.get('/blocks/1') === 'after 4');
    expect(values).toEqual(datastore.values());
    expect(events.filter(({ type }) => type === 'reading').at(-1)).toMatchObject({ cause: 'other-history' });
  });

  it('goes on without reading where nothing but time has passed', async () => {
    const { datastore, options } = await open('/blocks/1', '/blocks/2');
    const { batches, values, events, until } = follow(options);
    await until(() => batches.length === 1);
    for (const change of ['put', 'remove'] as const) {
      await datastore[change]('/blocks/2', 'changed');
      datastore.disconnect();
      datastore.connect();
      await datastore.put('/blocks/1', `after the ${change}`);
      await until(() => values.get('/blocks/1') === `after the ${change}`);
    }
    expect(values).toEqual(datastore.values());
    expect(events.filter(({ type }) => type === 'reading')).toHaveLength(1);
  });

  it('reads again when the revisions have gone back, and takes every value for new', async () => {
    const first = await open('/blocks/1', '/blocks/2');
    await first.datastore.put('/blocks/1', 'later');
    const second = await open('/blocks/1');
    let current = first.datastore;
    const store = {
      ...first.options.store,
      read: (...args: Parameters<typeof current.store.read>) => current.store.read(...args),
    };
    const watch = {
      follow: (...args: Parameters<typeof current.watch.follow>) => current.watch.follow(...args),
    };
    const { batches, values, until } = follow({ ...first.options, store, watch });
    await until(() => batches.length === 1);
    current = second.datastore;
    first.datastore.disconnect();
    await until(() => batches.length === 2);
    expect(text(values)).toEqual(['/blocks/1: first /blocks/1', '/nodes/one: first /nodes/one']);
    expect(batches[1]).toMatchObject({ cause: 'picture', revision: '3' });
  });

  it('does not believe a first look that finds no node, but a second one', async () => {
    const datastore = createMemoryDatastore();
    await datastore.put('/blocks/1', 'x');
    const { options } = await open();
    const { batches, events, until } = follow({ ...options, store: datastore.store, watch: datastore.watch });
    await until(() => batches.length === 1);
    expect(events.map(({ type }) => type).slice(0, 3)).toEqual(['reading', 'doubting', 'reading']);
  });

  it('takes an end of all nodes that is over at the second look for none', async () => {
    const { datastore, options } = await open('/nodes/two', '/blocks/1');
    const doubtMs = 60_000;
    const { promise: secondLook, resolve: lookAgain } = Promise.withResolvers<void>();
    const clock: Clock = {
      ...options.clock,
      sleep: (ms) => (ms === doubtMs ? secondLook : options.clock.sleep(ms)),
    };
    const { batches, events, values, until } = follow({ ...options, clock, doubtMs });
    await until(() => batches.length === 1 && events.some(({ type }) => type === 'connected'));
    await datastore.write([
      { type: 'delete', key: '/nodes/one' },
      { type: 'delete', key: '/nodes/two' },
    ]);
    await until(() => events.some(({ type }) => type === 'doubting'));
    await datastore.put('/nodes/one', 'back');
    lookAgain();
    await until(() => values.get('/nodes/one') === 'back');
    const told = batches
      .slice(1)
      .flatMap(({ changes }) => changes.map(({ key, value }) => `${key} ${value}`));
    expect(told).toEqual(['/nodes/one back', '/nodes/two undefined']);
  });

  it('believes it at the second look', async () => {
    const { datastore, options } = await open('/nodes/two', '/blocks/1');
    const { batches, values, until } = follow(options);
    await until(() => batches.length === 1);
    await datastore.remove('/nodes/one');
    await until(() => !values.has('/nodes/one'));
    await datastore.remove('/nodes/two');
    await until(() => !values.has('/nodes/two'));
    expect(batches.at(-1)).toMatchObject({ cause: 'picture' });
    expect([...values.keys()]).toEqual(['/blocks/1']);
  });

  it('reads of what is mostly of others only what is wanted', async () => {
    const { datastore, options } = await open('/endpoints/other-1', '/endpoints/own-1', '/endpoints/other-2');
    const { batches, values, until } = follow(options);
    await until(() => batches.length === 1);
    await datastore.put('/endpoints/other-3', 'x');
    await datastore.put('/endpoints/own-2', 'x');
    await until(() => values.has('/endpoints/own-2'));
    expect([...values.keys()]).toEqual(['/nodes/one', '/endpoints/own-1', '/endpoints/own-2']);
    expect(values.get('/endpoints/own-1')).toBe('first /endpoints/own-1');
  });

  it('reads again when it is asked to', async () => {
    const { options } = await open('/blocks/1');
    const { batches, events, follower, until } = follow(options);
    await until(() => events.some(({ type }) => type === 'connected'));
    follower.readAgain('somebody asked');
    await until(() => batches.length === 2);
    expect(batches[1]).toMatchObject({ cause: 'picture', changes: [] });
    expect(events).toContainEqual({ type: 'reading', why: 'somebody asked', cause: 'asked' });
  });

  it('reads once more when it is asked to while it reads', async () => {
    const { options } = await open('/blocks/1');
    const { promise: gate, resolve: letThrough } = Promise.withResolvers<void>();
    const read: typeof options.store.read = async (...args) => {
      await gate;
      return options.store.read(...args);
    };
    const { batches, events, follower, until } = follow({ ...options, store: { ...options.store, read } });
    await until(() => events.some(({ type }) => type === 'reading'));
    follower.readAgain('somebody asked');
    letThrough();
    await until(() => events.some(({ type }) => type === 'connected'));
    expect(batches.map(({ cause }) => cause)).toEqual(['picture', 'picture']);
    expect(events.filter(({ type }) => type === 'reading')).toMatchObject([
      { cause: 'start' },
      { why: 'somebody asked', cause: 'asked' },
    ]);
  });

  it('ends when it is interrupted, also while it waits', async () => {
    const { datastore, options } = await open();
    const { events, stop, until } = follow({ ...options, clock: hastyClock(60_000) });
    await until(() => events.some(({ type }) => type === 'connected'));
    datastore.disconnect();
    await until(() => events.some(({ type }) => type === 'disconnected'));
    await stop();
    const count = events.length;
    await sleep(SETTLED_MS);
    expect(events).toHaveLength(count);
  });

  it('ends with what its listener throws', async () => {
    const { datastore, options } = await open();
    const error = new Error('this cannot be borne');
    const { ended, batches, until } = follow(options, ({ cause }) => {
      if (cause === 'changes') throw error;
    });
    await until(() => batches.length === 1);
    await datastore.put('/blocks/1', 'x');
    await expect(ended).rejects.toBe(error);
  });

  it('comes to what is there, whatever happens on the way', async () => {
    const { datastore, options } = await open();
    const { values, until } = follow({ ...options, doubtMs: 1 });
    const random = mulberry(20_261_121);
    for (let i = 0; i < 600; i++) {
      const key = `/${['nodes', 'blocks', 'endpoints/own-'][Math.floor(random() * 3)]}/${Math.floor(random() * 8)}`;
      const dice = random();
      if (dice < 0.55) await datastore.put(key, String(i));
      else if (dice < 0.85) await datastore.remove(key);
      else if (dice < 0.9) datastore.compact();
      else if (dice < 0.95) datastore.disconnect();
      datastore.connect();
      if (random() < 0.1) await sleep(random() * 8);
    }
    const wanted = () =>
      text(
        new Map(
          [...datastore.values()].filter(
            ([key]) => key.startsWith('/nodes/') || key.startsWith('/blocks/') || key.includes('/own-'),
          ),
        ),
      );
    await until(() => JSON.stringify(text(values)) === JSON.stringify(wanted()));
  });
});

/** A small generator, so that a failure can be seen again. */
function mulberry(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
