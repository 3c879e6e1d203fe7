/** A store whose requests end when the call is interrupted, and not only when it answers. */

import { type Clock, checkInterruption, type Deadline, unlessInterrupted } from '../base/deadline.ts';
import { AmbiguousCommitError } from './ambiguous-commit.ts';
import type { Store } from './store.ts';

/**
 * How long the answer to a write is waited for all the same. It tells what there is to be taken back: a store that was
 * asked too early would not know yet.
 */
export const ANSWER_MS = 1_000;

export function interruptibleStore(store: Store, clock: Clock): Store {
  return {
    read: async (ranges, deadline) => {
      checkInterruption(deadline);
      return unlessInterrupted(deadline, store.read(ranges, deadline));
    },
    commit: async (transaction, deadline) => {
      checkInterruption(deadline);
      return soonAfterInterruption(clock, deadline, store.commit(transaction, deadline));
    },
    close: () => store.close(),
  };
}

async function soonAfterInterruption<T>(clock: Clock, deadline: Deadline, commit: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const giveUp = () =>
    reject(new AmbiguousCommitError(new Error(`no answer to it ${ANSWER_MS} ms after a signal`)));
  using _listening = deadline.interruption.listen(() => void clock.sleep(ANSWER_MS).then(giveUp));
  return await Promise.race([commit, late]);
}
