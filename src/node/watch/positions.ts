/**
 * How far each range has been heard. Every range has a watcher of its own and etcd keeps no order between them, so each
 * goes on from its own place.
 */

import type { Revision } from '../../base/revision.ts';
import type { WatchedRange } from '../../datastore/watch.ts';
import type { WatchedPrefix } from './watched-prefix.ts';

export interface Positions {
  /** All of them were read at the revision. */
  readonly startAt: (revision: Revision) => void;
  /** All up to the revision has been heard of the prefix. */
  readonly advance: (prefix: string, revision: Revision) => void;
  /** How far the range that the key is in has been heard. */
  readonly of: (key: string) => Revision;
  /** Where to go on. */
  readonly ranges: () => readonly WatchedRange[];
  /** The furthest of them: the datastore has come to this, or more. */
  readonly reached: () => Revision;
}

export function createPositions(prefixes: readonly WatchedPrefix[]): Positions {
  const heard = new Map(prefixes.map(({ prefix }) => [prefix, 0n]));
  return {
    startAt: (revision) => {
      for (const { prefix } of prefixes) heard.set(prefix, BigInt(revision));
    },
    advance: (prefix, revision) => {
      const next = BigInt(revision);
      if (next > (heard.get(prefix) ?? 0n)) heard.set(prefix, next);
    },
    of: (key) => String(heard.entries().find(([prefix]) => key.startsWith(prefix))?.[1] ?? 0n),
    ranges: () => Array.from(heard, ([prefix, revision]) => ({ prefix, from: String(revision + 1n) })),
    reached: () => String(heard.values().reduce((a, b) => (a > b ? a : b), 0n)),
  };
}
