/**
 * The Watch port: how a process that lives long hears of changes. A snapshot is the Store's business; this tells what
 * happened after it.
 */

import type { Interruption } from '../base/interruption.ts';
import type { Revision } from '../base/revision.ts';

/** One key that was written or removed. */
export interface Change {
  readonly key: string;
  /** `undefined`: the key was removed. */
  readonly value: string | undefined;
  readonly revision: Revision;
}

/** All keys with the prefix. `from`: the first revision whose changes are wanted. */
export interface WatchedRange {
  readonly prefix: string;
  readonly from: Revision;
}

/** Which history the revisions belong to: another cluster, or one that was restored, counts anew. */
export interface WatchedDatastore {
  readonly id: string;
  /** What it has come to. */
  readonly revision: Revision;
}

/** Called one after the other, never again once `follow` has ended. What they throw ends it, and is what it rejects with. */
export interface WatchListener {
  /** All ranges are watched; once, before anything else. */
  readonly onBegin: (datastore: WatchedDatastore) => void;
  /**
   * What happened in one range, in the order in which it happened: whole revisions. Other ranges may be ahead of it or
   * behind.
   */
  readonly onChanges: (range: WatchedRange, changes: readonly Change[]) => void;
  /** Everything up to and with this revision has been told of the range. */
  readonly onProgress: (range: WatchedRange, revision: Revision) => void;
}

export interface WatchRequest {
  readonly ranges: readonly WatchedRange[];
  readonly listener: WatchListener;
  readonly interruption: Interruption;
}

export interface Watch {
  /**
   * Tells of every change until it fails, which it does in the end. Rejects with a `CalicoError`: `conflict` when the
   * changes since a `from` are no longer known, `unavailable` when the datastore is out of reach or has stopped
   * answering (the next call may do better) or the interruption came, `denied` and `config` when that will not help.
   */
  follow(request: WatchRequest): Promise<never>;
}
