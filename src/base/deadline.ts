/** A point in time by which work must end. Time comes in as a clock, so that tests own it. */

import { CalicoError } from './calico-error.ts';

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
  remainingMs(): number;
  /** Moves the end: waiting for others of the node is not the work that the budget is for. */
  postpone(ms: number): void;
}

export function deadlineIn(clock: Clock, budgetMs: number, of: string): Deadline {
  let endMs = clock.monotonicMs() + budgetMs;
  return {
    of,
    budgetMs,
    remainingMs: () => Math.max(0, endMs - clock.monotonicMs()),
    postpone: (ms) => {
      endMs += ms;
    },
  };
}

/** Throws `unavailable` once the deadline has passed. */
export function checkDeadline(deadline: Deadline, doing: string): void {
  if (deadline.remainingMs() > 0) return;
  throw new CalicoError(
    'unavailable',
    `${deadline.of} did not finish within ${deadline.budgetMs} ms: time was up while ${doing}`,
  );
}
