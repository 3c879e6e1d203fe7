/** A point in time by which work must end. Time comes in as a clock, so that tests own it. */

import { CalicoError } from './calico-error.ts';
import { type Interruption, UNINTERRUPTED } from './interruption.ts';

/** What the program knows of time. */
export interface Clock {
  /** Wall clock, nanoseconds since the Unix epoch. */
  nowNs(): bigint;
  /** Monotonic milliseconds, for durations and deadlines. */
  monotonicMs(): number;
  sleep(ms: number): Promise<void>;
}

export interface Deadline {
  /** What runs out, for messages: `ADD`. */
  readonly of: string;
  readonly budgetMs: number;
  /** What may end the work before. */
  readonly interruption: Interruption;
  /** 0 as well once the work has been interrupted. */
  remainingMs(): number;
  /** Moves the end: waiting for others of the node is not the work that the budget is for. */
  postpone(ms: number): void;
}

/** Without an interruption, only time ends the work. */
export function deadlineIn(
  clock: Clock,
  budgetMs: number,
  of: string,
  interruption: Interruption = UNINTERRUPTED,
): Deadline {
  let endMs = clock.monotonicMs() + budgetMs;
  const isInterrupted = () => interruption.signal() !== undefined;
  return {
    of,
    budgetMs,
    interruption,
    remainingMs: () => (isInterrupted() ? 0 : Math.max(0, endMs - clock.monotonicMs())),
    postpone: (ms) => {
      endMs += ms;
    },
  };
}

/** Throws `unavailable` once the deadline has passed, or the work has been interrupted. */
export function checkDeadline(deadline: Deadline, doing: string): void {
  checkInterruption(deadline);
  if (deadline.remainingMs() > 0) return;
  throw new CalicoError(
    'unavailable',
    `${deadline.of} did not finish within ${deadline.budgetMs} ms: time was up while ${doing}`,
  );
}

/** Throws `unavailable` once the work has been interrupted, however much time it has left. */
export function checkInterruption({ of, interruption }: Deadline): void {
  const signal = interruption.signal();
  if (signal !== undefined) throw interruptedError(of, signal);
}

/**
 * The outcome of the work, but rejects with `unavailable` as soon as it is interrupted. What was begun then goes on by
 * itself, so this is for work that may.
 */
export async function unlessInterrupted<T>(deadline: Deadline, work: Promise<T>): Promise<T> {
  const { promise: interrupted, reject } = Promise.withResolvers<never>();
  const stop = () => reject(interruptedError(deadline.of, deadline.interruption.signal() ?? 'a signal'));
  using _listening = deadline.interruption.listen(stop);
  return await Promise.race([interrupted, work]);
}

function interruptedError(of: string, signal: string): CalicoError {
  return new CalicoError('unavailable', `terminated by ${signal} before ${of} was done`, {
    details: 'what an ADD had done is taken back; it can be called again, and a DEL removes whatever is left',
  });
}
