/** The Store in memory: the same contract as etcd's adapter, and the model for tests that cut requests. */

import { CalicoError } from '../../src/base/calico-error.ts';
import { ABSENT } from '../../src/base/revision.ts';
import { type Entry, MAX_OPERATIONS, type Range, type Store } from '../../src/datastore/store.ts';

export interface MemoryStore extends Store {
  readonly values: () => ReadonlyMap<string, string>;
  put(key: string, value: string): void;
  /** Forgets how it came to what it is. */
  compact(): void;
  /** Is again what it was at the revision, and goes on from there: a backup that was restored. */
  rewind(to: number): void;
  /** How many reads and commits were answered. */
  readonly requests: () => number;
}

export function createMemoryStore(initial: ReadonlyMap<string, string> = new Map()): MemoryStore {
  let entries = new Map<string, Entry>();
  /** By revision. */
  const history = new Map<string, ReadonlyMap<string, Entry>>();
  let revision = 1;
  let requests = 0;
  const put = (key: string, value: string) =>
    void entries.set(key, { key, value, revision: String(revision) });
  for (const [key, value] of initial) {
    revision += 1;
    put(key, value);
  }
  const find = (range: Range): readonly Entry[] => {
    if ('key' in range) return [entries.get(range.key)].filter((entry) => entry !== undefined);
    const { prefix, after = '', at = String(revision) } = range;
    const then = at === String(revision) ? entries : history.get(at);
    if (then === undefined) throw new CalicoError('conflict', 'the history has been forgotten');
    const found = [...then.values()].filter(({ key }) => key.startsWith(prefix) && key > after);
    found.sort((a, b) => (a.key < b.key ? -1 : 1));
    const limited = range.limit ? found.slice(0, range.limit) : found;
    return range.keysOnly ? limited.map((entry) => ({ ...entry, value: '' })) : limited;
  };
  return {
    read: async (ranges) => {
      requests += 1;
      refuseTooMany(ranges.length);
      return { revision: String(revision), entries: ranges.map(find) };
    },
    commit: async ({ expect, write }) => {
      requests += 1;
      refuseTooMany(Math.max(expect.length, write.length));
      if (expect.some(({ key, revision: expected }) => (entries.get(key)?.revision ?? ABSENT) !== expected)) {
        return { committed: false, current: new Map(expect.map(({ key }) => [key, entries.get(key)])) };
      }
      if (write.length > 0) {
        history.set(String(revision), new Map(entries));
        revision += 1;
      }
      for (const change of write) {
        if (change.type === 'put') put(change.key, change.value);
        else entries.delete(change.key);
      }
      return { committed: true, revision: String(revision) };
    },
    close: async () => {},
    values: () => new Map(Array.from(entries.values(), ({ key, value }) => [key, value])),
    put: (key, value) => {
      revision += 1;
      put(key, value);
    },
    compact: () => history.clear(),
    rewind: (to) => {
      entries = new Map(history.get(String(to)));
      revision = to;
      for (const later of [...history.keys()].filter((at) => Number(at) >= to)) history.delete(later);
    },
    requests: () => requests,
  };
}

/** As etcd does. */
function refuseTooMany(count: number): void {
  if (count > MAX_OPERATIONS) throw new Error(`too many operations in one request: ${count}`);
}
