/** A pause that does not outlive the work. */

import type { Clock } from './deadline.ts';
import type { Interruption } from './interruption.ts';

export interface Pausing {
  readonly clock: Clock;
  readonly interruption: Interruption;
}

/** Ends early when the process is told to stop. */
export async function pause({ clock, interruption }: Pausing, ms: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  using _listening = interruption.listen(resolve);
  void clock.sleep(ms).then(resolve);
  await promise;
}
