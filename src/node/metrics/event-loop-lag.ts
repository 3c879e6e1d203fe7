/** How late timers are: the agent does everything in one thread. */

import type { Clock } from '../../base/deadline.ts';
import { createHistogram } from './histogram.ts';
import type { MetricSource } from './metric-family.ts';

const EVERY_MS = 1_000;

export function watchEventLoop(
  clock: Pick<Clock, 'monotonicMs'>,
): Disposable & { readonly families: MetricSource } {
  const lag = createHistogram(
    'calico_node_event_loop_lag_seconds',
    'How late a timer came, tried every second.',
  );
  let dueMs = clock.monotonicMs() + EVERY_MS;
  const timer = setInterval(() => {
    const nowMs = clock.monotonicMs();
    lag.observe(Math.max(0, nowMs - dueMs) / 1000);
    dueMs = nowMs + EVERY_MS;
  }, EVERY_MS).unref();
  return { families: () => [lag.family()], [Symbol.dispose]: () => clearInterval(timer) };
}
