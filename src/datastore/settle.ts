/**
 * The one loop of effects around every decision: read, decide, commit; and when others were faster, decide again
 * on what they wrote. A decision that sees its own work already done says so, which makes a commit whose answer
 * was lost harmless: read again and decide again.
 */

import { CalicoError } from '../base/calico-error.ts';
import { type Clock, checkDeadline, type Deadline } from '../base/deadline.ts';
import { AmbiguousCommitError } from './ambiguous-commit.ts';
import type { Range, Store, Transaction } from './store.ts';
import { isEmptyTransaction } from './transactions.ts';
import { EMPTY_VIEW, type View, withCurrent, withSnapshot } from './view.ts';

export type Decision<T> =
  | { readonly step: 'look'; readonly ranges: readonly Range[] }
  | { readonly step: 'commit'; readonly transaction: Transaction; readonly outcome: T }
  | { readonly step: 'done'; readonly outcome: T };

/** What the transaction says, or nothing when it is empty: then all is there already. */
export function commitOrDone<T>(transaction: Transaction, outcome: T): Decision<T> {
  return isEmptyTransaction(transaction)
    ? { step: 'done', outcome }
    : { step: 'commit', transaction, outcome };
}

export interface Settling<T> {
  readonly store: Store;
  /** What is read before the first decision, and again when a view has gone stale. */
  readonly ranges: readonly Range[];
  readonly decide: (view: View) => Decision<T>;
  readonly deadline: Deadline;
  readonly clock: Clock;
  /** A number in [0, 1), fresh on each call. */
  readonly random: () => number;
  /** Told whenever a commit did not do it: others were faster, or its answer was lost. */
  readonly onConflict?: (why: 'lost' | 'unknown') => void;
  /** What must have happened before anything is written: it may run again with the next decision. */
  readonly beforeCommit?: (outcome: T) => Promise<void>;
}

/** Calico gives up after as many tries; the deadline normally comes first. */
const MAX_CONFLICTS = 100;
/** Lost commits bring only the compared keys up to date, so now and then everything is read anew. */
const CONFLICTS_BEFORE_REREAD = 8;
/** A decision that keeps asking for more is a bug, not a reason to hang. */
const MAX_LOOKS = 64;
const MAX_PAUSE_MS = 100;

/** Runs a decision to its end. Throws `unavailable` at the deadline and `conflict` after too many lost commits. */
export async function settle<T>(settling: Settling<T>): Promise<T> {
  let view = await readInto(EMPTY_VIEW, settling.ranges, settling);
  let looks = 0;
  for (let conflicts = 0; conflicts < MAX_CONFLICTS; ) {
    checkDeadline(settling.deadline, 'waiting for the datastore');
    const decision = settling.decide(view);
    if (decision.step === 'done') return decision.outcome;
    if (decision.step === 'look') {
      if (++looks > MAX_LOOKS) throw new CalicoError('internal', 'the allocator asks for ever more data');
      view = await readInto(view, decision.ranges, settling);
      continue;
    }
    await settling.beforeCommit?.(decision.outcome);
    const next = await tryCommit(view, decision.transaction, settling);
    if (next === 'committed') return decision.outcome;
    conflicts += 1;
    settling.onConflict?.(next === 'unknown' ? 'unknown' : 'lost');
    looks = 0;
    await settling.clock.sleep(settling.random() * Math.min(MAX_PAUSE_MS, 2 ** conflicts));
    view =
      next === 'unknown' || conflicts % CONFLICTS_BEFORE_REREAD === 0
        ? await readInto(EMPTY_VIEW, settling.ranges, settling)
        : next;
  }
  throw new CalicoError('conflict', 'Max retries hit - excessive concurrent IPAM requests', {
    details: `${MAX_CONFLICTS} transactions in a row lost against other writers; try again later.`,
  });
}

async function readInto<T>(
  view: View,
  ranges: readonly Range[],
  { store, deadline }: Settling<T>,
): Promise<View> {
  return withSnapshot(view, ranges, await store.read(ranges, deadline));
}

async function tryCommit<T>(
  view: View,
  transaction: Transaction,
  { store, deadline }: Settling<T>,
): Promise<View | 'committed' | 'unknown'> {
  try {
    const commit = await store.commit(transaction, deadline);
    return commit.committed ? 'committed' : withCurrent(view, commit.current);
  } catch (error) {
    if (error instanceof AmbiguousCommitError) return 'unknown';
    throw error;
  }
}
