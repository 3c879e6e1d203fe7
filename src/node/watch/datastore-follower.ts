/**
 * Follows the datastore: everything at one revision, then every change from there, for as long as the agent lives. What
 * comes of a datastore that cannot be reached, or fails, is that nothing is told: the last state stays.
 */

import { CalicoError } from '../../base/calico-error.ts';
import { type Clock, deadlineIn } from '../../base/deadline.ts';
import { createInterrupter, type Interruption } from '../../base/interruption.ts';
import { pause } from '../../base/pause.ts';
import type { Revision } from '../../base/revision.ts';
import type { Store } from '../../datastore/store.ts';
import type { Change, Watch, WatchedDatastore, WatchListener } from '../../datastore/watch.ts';
import { backoffMs } from './backoff.ts';
import { type Gatherer, gather, type Pace } from './gather.ts';
import { createKeyLedger, type KeyLedger } from './key-ledger.ts';
import { createPositions, type Positions } from './positions.ts';
import { readPicture } from './read-picture.ts';
import { hasGoneOn } from './same-history.ts';
import type { WatchedPrefix } from './watched-prefix.ts';

/** What is different now: each key once. */
export interface Batch {
  readonly changes: readonly Change[];
  /** Everything up to here has been told, and perhaps more; of a part, when its picture is complete. */
  readonly revision: Revision;
  /**
   * - `part`: of a picture, the difference to what was told before; more of it follows, or another picture should it fail
   * - `picture`: the last part; now everything is told that is there, and what was told and is not there is gone
   * - `changes`: what happened since
   */
  readonly cause: 'part' | 'picture' | 'changes';
  /** Of changes: when the first of them arrived, on the monotonic clock. */
  readonly heardMs?: number | undefined;
}

/**
 * Why everything is read: the agent has begun (`start`), etcd has forgotten what has happened since (`compacted`), it is
 * another cluster or a backup (`other-history`), everything seemed to be gone (`doubt`), or somebody wanted it (`asked`).
 */
export type ReadingCause = 'start' | 'compacted' | 'other-history' | 'doubt' | 'asked';

interface Reading {
  readonly why: string;
  readonly cause: ReadingCause;
}

export type FollowEvent =
  /** Changes are heard of from now on. */
  | { readonly type: 'connected'; readonly revision: Revision }
  /** They are not; it is tried again after so long. */
  | { readonly type: 'disconnected'; readonly error: CalicoError; readonly pauseMs: number }
  /** Everything is read. */
  | ({ readonly type: 'reading' } & Reading)
  /** Under these prefixes everything seems to be gone: it is read once more before that is believed. */
  | { readonly type: 'doubting'; readonly prefixes: readonly string[] };

export interface FollowOptions {
  readonly store: Store;
  readonly watch: Watch;
  readonly prefixes: readonly WatchedPrefix[];
  readonly isWanted: (key: string) => boolean;
  readonly clock: Clock;
  /** A number in [0, 1), fresh on each call. */
  readonly random: () => number;
  readonly interruption: Interruption;
  /** The first that is no part is a picture, even when nothing is there. Nothing is to be done upon a part alone. */
  readonly onBatch: (batch: Batch) => void;
  readonly onEvent: (event: FollowEvent) => void;
  /** Changes or a sign of life have come, and nothing before this revision is missing any more. */
  readonly onHeard?: (revision: Revision) => void;
  readonly pace?: Pace;
  /** Between the two looks at what seems to be gone. */
  readonly doubtMs?: number;
}

const PACE: Pace = { quietMs: 10, longestMs: 50 };
const DOUBT_MS = 2_000;
/** A first picture of the largest cluster over a slow line. */
const PICTURE_BUDGET_MS = 120_000;
const CHECK_BUDGET_MS = 10_000;
/** A connection that lasted so long was a good one: the next failure is the first. */
const GOOD_MS = 10_000;

/** Runs once. */
export class DatastoreFollower {
  readonly #options: FollowOptions;
  readonly #ledger: KeyLedger;
  readonly #positions: Positions;
  readonly #gathered: Gatherer<Change>;
  /** Rejects with what a listener threw outside of the run. */
  readonly #broken = Promise.withResolvers<never>();
  /** Why everything is to be read; `undefined`: it need not be. */
  #mustRead: Reading | undefined = { why: 'the agent has just begun', cause: 'start' };
  /** When the first change arrived that has not been told yet. */
  #heardMs: number | undefined;
  /** What is read next is the second look. */
  #isDoubted = false;
  #historyId: string | undefined;
  /** It has been out of reach, and may have become another meanwhile. */
  #isUncertain = false;
  #isOtherHistory = false;
  #stopWatch: () => void = () => undefined;

  constructor(options: FollowOptions) {
    this.#options = options;
    this.#ledger = createKeyLedger(options.prefixes);
    this.#positions = createPositions(options.prefixes);
    this.#gathered = gather(options.pace ?? PACE, (changes) => this.#takeIn(changes));
  }

  /** Resolves once it was interrupted; rejects only with what `onBatch` or `onEvent` throws. */
  async run(): Promise<void> {
    try {
      await Promise.race([this.#keepFollowing(), this.#broken.promise]);
    } finally {
      this.#forgetGathered();
      this.#stopWatch();
    }
  }

  /** Reads everything again, as soon as it can be read. */
  readAgain(why: string, cause: ReadingCause = 'asked'): void {
    this.#mustRead = { why, cause };
    this.#stopWatch();
  }

  /** Over another connection, at once, from where it has come to. */
  reconnect(): void {
    this.#stopWatch();
  }

  async #keepFollowing(): Promise<void> {
    const { clock, random, interruption, onEvent } = this.#options;
    for (let failures = 0; interruption.signal() === undefined; ) {
      const beganMs = clock.monotonicMs();
      try {
        if (this.#mustRead !== undefined) await this.#read(this.#mustRead);
        else await this.#watch();
      } catch (error) {
        if (interruption.signal() !== undefined) return;
        if (!(error instanceof CalicoError)) throw error;
        if (clock.monotonicMs() - beganMs >= GOOD_MS) failures = 0;
        if (error.kind === 'conflict' && this.#mustRead?.why !== error.message)
          this.#mustRead = { why: error.message, cause: 'compacted' };
        const pauseMs = backoffMs(failures, random());
        failures += 1;
        this.#isUncertain = true;
        onEvent({ type: 'disconnected', error, pauseMs });
        await pause(this.#options, pauseMs);
      }
    }
  }

  /** One look at everything; what looks like the end of all things is looked at again later. */
  async #read(reading: Reading): Promise<void> {
    const { clock, interruption, onEvent, onBatch, doubtMs = DOUBT_MS } = this.#options;
    const isOtherHistory = this.#isOtherHistory;
    if (this.#isDoubted) await pause(this.#options, doubtMs);
    onEvent({ type: 'reading', ...reading });
    const { changes, empty, revision } = await readPicture({
      ...this.#options,
      deadline: deadlineIn(clock, PICTURE_BUDGET_MS, 'the reading of the datastore', interruption),
      ledger: this.#ledger,
      reached: this.#positions.reached(),
      isOtherHistory,
      onPart: (part, at) => {
        this.#ledger.note(part);
        onBatch({ changes: part, revision: at, cause: 'part' });
      },
    });
    if (empty.length > 0 && !this.#isDoubted) {
      this.#doubt(empty);
      return;
    }
    this.#isDoubted = false;
    this.#isUncertain = false;
    // Of what has been found out meanwhile this reading knew nothing.
    if (this.#mustRead === reading) {
      this.#isOtherHistory = false;
      this.#mustRead = undefined;
    }
    this.#ledger.note(changes);
    this.#ledger.complete();
    this.#positions.startAt(revision);
    onBatch({ changes, revision, cause: 'picture' });
    this.#options.onHeard?.(revision);
  }

  async #watch(): Promise<void> {
    const { watch, interruption } = this.#options;
    const { interruption: stopped, interrupt } = createInterrupter();
    using _listening = interruption.listen(() => interrupt('the end'));
    this.#stopWatch = () => interrupt('a new reading');
    try {
      const listener = this.#listener();
      await watch.follow({ ranges: this.#positions.ranges(), listener, interruption: stopped });
    } catch (error) {
      if (stopped.signal() === undefined) throw error;
    } finally {
      // What has been heard is true, however the connection ended.
      if (this.#mustRead === undefined) this.#gathered.flush();
      else this.#forgetGathered();
    }
  }

  #listener(): WatchListener {
    return {
      onBegin: (datastore) => {
        this.#requireSameHistory(datastore);
        if (this.#isUncertain) this.#requireGoneOn().catch(this.#broken.reject);
        this.#options.onEvent({ type: 'connected', revision: datastore.revision });
      },
      onChanges: ({ prefix }, changes) => {
        this.#heardMs ??= this.#options.clock.monotonicMs();
        this.#advance(prefix, changes.at(-1)?.revision ?? '0');
        this.#gathered.add(changes);
      },
      onProgress: ({ prefix }, revision) => this.#advance(prefix, revision),
    };
  }

  #advance(prefix: string, revision: Revision): void {
    this.#positions.advance(prefix, revision);
    this.#options.onHeard?.(this.#positions.reached());
  }

  /** In another cluster, and in a backup that was restored, our revisions mean something else. */
  #requireSameHistory({ id, revision }: WatchedDatastore): void {
    const isKnown = this.#historyId === undefined || this.#historyId === id;
    this.#historyId = id;
    if (!isKnown) {
      this.#isOtherHistory = true;
      throw this.#otherHistory('it is another cluster of etcd than before');
    }
    // It may be a member that lags behind: what is read goes past it, and shows.
    if (BigInt(revision) < BigInt(this.#positions.reached()))
      throw this.#otherHistory(`etcd is at revision ${revision} again, which it had gone past`);
  }

  /** Its revision may have gone past ours by now, and does not show that it is another history. */
  async #requireGoneOn(): Promise<void> {
    const { store, clock, interruption } = this.#options;
    const latest = this.#ledger.latest();
    if (latest === undefined) return;
    const heard = this.#positions.of(latest.key);
    const deadline = deadlineIn(clock, CHECK_BUDGET_MS, 'the look at the history of etcd', interruption);
    try {
      this.#isUncertain = !(await hasGoneOn(store, latest, heard, deadline));
      if (!this.#isUncertain) return;
      this.#isOtherHistory = true;
      this.readAgain(`etcd does not have ${latest.key} as it was at revision ${heard}`, 'other-history');
    } catch (error) {
      if (!(error instanceof CalicoError)) throw error;
      // It is looked at again as soon as it is heard of again.
      if (error.kind === 'conflict') this.readAgain(error.message, 'compacted');
      else this.#stopWatch();
    }
  }

  #otherHistory(why: string): CalicoError {
    this.#mustRead = { why, cause: 'other-history' };
    return new CalicoError('conflict', why);
  }

  #takeIn(changes: readonly Change[]): void {
    try {
      const { isWanted, onBatch } = this.#options;
      const heardMs = this.#heardMs;
      this.#heardMs = undefined;
      const news = this.#ledger.news(changes.filter(({ key }) => isWanted(key)));
      const emptied = this.#ledger.emptiedBy(news);
      if (emptied.length > 0) {
        this.#doubt(emptied);
        return;
      }
      this.#ledger.note(news);
      if (news.length === 0) return;
      onBatch({ changes: news, revision: this.#positions.reached(), cause: 'changes', heardMs });
    } catch (error) {
      this.#broken.reject(error);
    }
  }

  #forgetGathered(): void {
    this.#gathered.clear();
    this.#heardMs = undefined;
  }

  #doubt(prefixes: readonly string[]): void {
    this.#options.onEvent({ type: 'doubting', prefixes });
    this.#isDoubted = true;
    this.readAgain('to be sure that what seems to be gone is gone', 'doubt');
  }
}
