/** The Watch in memory, beside a Store in memory: the same contract as etcd's, and faults on demand. */

import { CalicoError } from '../../src/base/calico-error.ts';
import type { Store, Write } from '../../src/datastore/store.ts';
import type { Change, Watch, WatchRequest } from '../../src/datastore/watch.ts';
import { deadline } from './clock.ts';
import { createMemoryStore } from './memory-store.ts';

export interface MemoryDatastore {
  readonly store: Store;
  readonly watch: Watch;
  /** What is there. */
  values(): ReadonlyMap<string, string>;
  put(key: string, value: string): Promise<void>;
  remove(key: string): Promise<void>;
  /** Writes all at one revision. */
  write(writes: readonly Write[]): Promise<void>;
  /** Forgets how it came to what it is. */
  compact(): void;
  /** Ends what follows now; until `connect`, reads and new watches fail as well. */
  disconnect(): void;
  connect(): void;
  /** Begins another history. */
  becomeAnother(id: string): void;
  revision(): number;
  /** Is again what it was at the revision, and goes on from there: a backup that was restored. */
  rewind(to: number): void;
  /** How often it has been followed, and read. */
  readonly counts: { follows: number; reads: number };
}

export function createMemoryDatastore(): MemoryDatastore {
  const inner = createMemoryStore();
  let history: (Change & { readonly at: bigint })[] = [];
  const followers = new Set<{ request: WatchRequest; fail: (error: unknown) => void }>();
  const counts = { follows: 0, reads: 0 };
  let compacted = 0n;
  let current = 1n;
  let isConnected = true;
  let id = 'one';

  const unreachable = () => new CalicoError('unavailable', 'the datastore is out of reach');
  const commit: Store['commit'] = async (transaction, deadline) => {
    if (!isConnected) throw unreachable();
    const result = await inner.commit(transaction, deadline);
    if (!result.committed || transaction.write.length === 0) return result;
    current = BigInt(result.revision);
    const changes = transaction.write.map((write) => changeOf(write, result.revision));
    history.push(...changes.map((change) => ({ ...change, at: current })));
    for (const follower of followers) tell(follower, changes);
    return result;
  };
  const write = async (writes: readonly Write[]) =>
    void (await commit({ expect: [], write: writes }, deadline()));

  function tell(
    { request, fail }: { request: WatchRequest; fail: (error: unknown) => void },
    changes: readonly Change[],
  ) {
    try {
      for (const range of request.ranges) {
        const its = changes.filter(
          ({ key, revision }) => key.startsWith(range.prefix) && BigInt(revision) >= BigInt(range.from),
        );
        if (its.length > 0) request.listener.onChanges(range, its);
      }
    } catch (error) {
      fail(error);
    }
  }

  const watch: Watch = {
    follow: async (request) => {
      counts.follows += 1;
      if (!isConnected) throw unreachable();
      if (request.ranges.some(({ from }) => BigInt(from) <= compacted)) {
        throw new CalicoError('conflict', 'the history has been forgotten');
      }
      const { promise, reject } = Promise.withResolvers<never>();
      const follower = { request, fail: reject };
      using _listening = request.interruption.listen(() => reject(new CalicoError('unavailable', 'ended')));
      request.listener.onBegin({ id, revision: String(current) });
      for (const at of new Set(history.map((change) => change.at))) {
        tell(
          follower,
          history.filter((change) => change.at === at),
        );
      }
      followers.add(follower);
      try {
        return await promise;
      } finally {
        followers.delete(follower);
      }
    },
  };

  return {
    store: {
      ...inner,
      commit,
      read: async (ranges, deadline) => {
        counts.reads += 1;
        if (!isConnected) throw unreachable();
        return inner.read(ranges, deadline);
      },
    },
    watch,
    values: inner.values,
    put: (key, value) => write([{ type: 'put', key, value }]),
    remove: (key) => write([{ type: 'delete', key }]),
    write,
    compact: () => {
      inner.compact();
      compacted = current;
      history.length = 0;
    },
    disconnect: () => {
      isConnected = false;
      for (const { fail } of followers) fail(unreachable());
    },
    connect: () => {
      isConnected = true;
    },
    becomeAnother: (other) => {
      id = other;
    },
    revision: () => Number(current),
    rewind: (to) => {
      inner.rewind(to);
      current = BigInt(to);
      history = history.filter(({ at }) => at <= current);
    },
    counts,
  };
}

function changeOf(write: Write, revision: string): Change {
  return { key: write.key, value: write.type === 'put' ? write.value : undefined, revision };
}
