/** A clock on which only sleeping takes time, and no time at all. */

import type { Clock } from '../../src/base/deadline.ts';

/** Begins at 0. `onStep` hears the new monotonic time after each sleep, before the sleeper goes on. */
export function steppedClock(onStep: (nowMs: number) => void = () => undefined): Clock {
  let nowMs = 0;
  return {
    nowNs: () => BigInt(nowMs) * 1_000_000n,
    monotonicMs: () => nowMs,
    sleep: async (ms) => {
      if (ms <= 0) throw new Error('sleeping for no time at all is waiting without an end');
      nowMs += ms;
      onStep(nowMs);
    },
  };
}
