/**
 * The Store port: all that the program asks of a datastore. Two calls, so that every adapter can be held to
 * the same contract test. Keys and values are text here; what they mean is the business of `codecs/` and
 * `keys.ts`.
 */

import type { Deadline } from '../base/deadline.ts';
import type { Revision } from '../base/revision.ts';

export interface Entry {
  readonly key: string;
  readonly value: string;
  readonly revision: Revision;
}

/** One key, or all keys that start with a prefix (ascending byte order), optionally without their values. */
export type Range = { readonly key: string } | PrefixRange;

export interface PrefixRange {
  readonly prefix: string;
  readonly keysOnly?: boolean;
  readonly limit?: number;
  /** Only keys that come later than this one. */
  readonly after?: string;
  /**
   * As it was at this revision, of an earlier snapshot. A store that has forgotten what was then rejects with `conflict`
   * (etcd remembers until it compacts; the embedded one, only while nothing is written).
   */
  readonly at?: Revision;
}

export interface Snapshot {
  /** The datastore's revision at which all of it was read. */
  readonly revision: Revision;
  /** For each range of the request, in order, the entries found. */
  readonly entries: readonly (readonly Entry[])[];
}

/** Holds while the key is at exactly this revision (`ABSENT`: while it does not exist). */
export interface Expectation {
  readonly key: string;
  readonly revision: Revision;
}

export type Write =
  /** `lease`: the key goes with it. Only where there are leases, which is on etcd. */
  | { readonly type: 'put'; readonly key: string; readonly value: string; readonly lease?: string }
  | { readonly type: 'delete'; readonly key: string };

export interface Transaction {
  readonly expect: readonly Expectation[];
  readonly write: readonly Write[];
}

export type Commit =
  | { readonly committed: true; readonly revision: Revision }
  /** Nothing was written; `current` holds what each expected key is now (`undefined`: it does not exist). */
  | { readonly committed: false; readonly current: ReadonlyMap<string, Entry | undefined> };

/** At most this many ranges in one read and this many expectations or writes in one commit (etcd's default). */
export const MAX_OPERATIONS = 128;

/**
 * Errors of both calls are `CalicoError`s: `unavailable` (nothing was written), `denied`, and from `commit`
 * alone `AmbiguousCommitError` when the request was sent and its outcome is unknown.
 */
export interface Store {
  /** All ranges at one revision, linearizable. */
  read(ranges: readonly Range[], deadline: Deadline): Promise<Snapshot>;
  /** All writes or none, only if every expectation holds. */
  commit(transaction: Transaction, deadline: Deadline): Promise<Commit>;
  close(): Promise<void>;
}
