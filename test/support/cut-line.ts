/**
 * Processes that talk to one store in a chosen order, and can be cut at any of their requests: the process dies, or
 * lives on without its answer. Every request waits until the schedule lets it through.
 */

import { setImmediate } from 'node:timers/promises';
import { CalicoError } from '../../src/base/calico-error.ts';
import { type Clock, type Deadline, deadlineIn } from '../../src/base/deadline.ts';
import { AmbiguousCommitError } from '../../src/datastore/ambiguous-commit.ts';
import type { Store } from '../../src/datastore/store.ts';

/**
 * `killed before`: the request never reaches the store, and the process is dead. `killed after`: it is done, and the
 * process is dead. `request lost`, `response lost`: the process lives and gets an error.
 */
export type CutMode = 'killed before' | 'killed after' | 'request lost' | 'response lost';

export interface Cut {
  /** Position in the trace of all requests. */
  readonly at: number;
  readonly mode: CutMode;
}

export interface Request {
  readonly actor: number;
  readonly type: 'read' | 'commit';
}

/** A lost read is the same before and after; a commit is not. */
export function everyCut(trace: readonly Request[]): readonly Cut[] {
  const ways: Readonly<Record<Request['type'], readonly CutMode[]>> = {
    read: ['killed before', 'request lost'],
    commit: ['killed before', 'killed after', 'request lost', 'response lost'],
  };
  return trace.flatMap(({ type }, at) => ways[type].map((mode) => ({ at, mode })));
}

/** What a dead process never gets to see: nothing in the program catches it. */
export class Killed extends Error {
  override readonly name = 'Killed';
}

export type Actor<T> = (store: Store) => Promise<T>;

export interface Run<T> {
  /** Every request in the order it was let through. */
  readonly trace: readonly Request[];
  /** Where two actors were waiting, and who went first. */
  readonly choices: readonly number[];
  readonly outcomes: readonly PromiseSettledResult<T>[];
}

interface Waiting extends Request {
  readonly go: (cut: CutMode | undefined) => void;
}

/** Runs all actors on the store. Where several wait, `choices` says who goes, and the first when it says nothing. */
export async function runActors<T>(
  store: Store,
  actors: readonly Actor<T>[],
  choices: readonly number[],
  cut?: Cut,
): Promise<Run<T>> {
  const waiting: Waiting[] = [];
  const trace: Request[] = [];
  const taken: number[] = [];
  let running = actors.length;
  const ended = Promise.allSettled(
    actors.map((actor, index) =>
      actor(gated(store, index, waiting)).finally(() => {
        running -= 1;
      }),
    ),
  );
  while (running > 0) {
    await setImmediate();
    if (waiting.length === 0 || waiting.length < running) continue;
    const next = choose(waiting, choices, taken);
    trace.push({ actor: next.actor, type: next.type });
    next.go(cut?.at === trace.length - 1 ? cut.mode : undefined);
  }
  return { trace, choices: taken, outcomes: await ended };
}

function choose(waiting: Waiting[], choices: readonly number[], taken: number[]): Waiting {
  waiting.sort((a, b) => a.actor - b.actor);
  let index = 0;
  if (waiting.length > 1) {
    index = waiting.findIndex(({ actor }) => actor === choices[taken.length]);
    if (index < 0) index = 0;
    taken.push(waiting[index]?.actor ?? 0);
  }
  const [next] = waiting.splice(index, 1);
  if (next === undefined) throw new Error('nobody waits');
  return next;
}

function gated(store: Store, actor: number, waiting: Waiting[]): Store {
  const turn = (type: Request['type']) =>
    new Promise<CutMode | undefined>((go) => void waiting.push({ actor, type, go }));
  return {
    read: async (...args) => {
      const cut = await turn('read');
      if (cut?.startsWith('killed')) throw new Killed();
      if (cut !== undefined) throw new CalicoError('unavailable', 'the line was cut');
      return store.read(...args);
    },
    commit: async (...args) => {
      const cut = await turn('commit');
      if (cut === 'killed before') throw new Killed();
      const commit = cut === 'request lost' ? undefined : await store.commit(...args);
      if (cut === 'killed after') throw new Killed();
      if (commit === undefined || cut !== undefined)
        throw new AmbiguousCommitError(new Error('the line was cut'));
      return commit;
    },
    close: () => store.close(),
  };
}

/** Every order in which the actors' requests can follow each other: `visit` runs one and gives back its choices. */
export async function everyOrder(
  visit: (choices: readonly number[]) => Promise<readonly number[]>,
): Promise<number> {
  let choices: readonly number[] = [];
  for (let count = 1; ; count++) {
    const taken = await visit(choices);
    const last = taken.lastIndexOf(0);
    if (last < 0) return count;
    choices = [...taken.slice(0, last), 1];
  }
}

/** Time that costs nothing. */
export function instantClock(nowNs: bigint): Clock {
  let ms = 0;
  return {
    nowNs: () => nowNs,
    monotonicMs: () => ms,
    sleep: async (pauseMs) => {
      ms += pauseMs;
    },
  };
}

export function endlessDeadline(): Deadline {
  return deadlineIn(instantClock(0n), 1e9, 'the test');
}
