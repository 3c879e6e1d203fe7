/** Real time for tests of adapters. */

import { setTimeout } from 'node:timers/promises';
import { type Clock, type Deadline, deadlineIn } from '../../src/base/deadline.ts';

export const realClock: Clock = {
  nowNs: () => BigInt(Date.now()) * 1_000_000n,
  monotonicMs: () => performance.now(),
  sleep: (ms) => setTimeout(ms),
};

export function deadline(budgetMs = 10_000): Deadline {
  return deadlineIn(realClock, budgetMs, 'the test');
}
