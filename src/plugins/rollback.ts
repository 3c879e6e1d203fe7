/** Undo travels with the effect: each step that changed something says at once how to take it back. */

import { errorText } from '../base/calico-error.ts';
import { type Deadline, deadlineIn } from '../base/deadline.ts';
import type { Log } from '../base/log.ts';
import { ROLLBACK_BUDGET_MS } from './budgets.ts';
import type { World } from './world.ts';

export interface Rollback {
  /** Remembers how to undo what was just done. */
  push(what: string, undo: () => Promise<void>): void;
  /**
   * Undoes everything, last first, and stops where that fails: an address must not be free while an interface still has
   * it. The failure is logged; a DEL does all of it again.
   */
  run(log: Log): Promise<void>;
}

/** For one undo: the call's own time is often what ran out, and what interrupted it must not interrupt this. */
export function rollbackDeadline({ clock }: Pick<World, 'clock'>): Deadline {
  return deadlineIn(clock, ROLLBACK_BUDGET_MS, 'rollback');
}

export function createRollback(): Rollback {
  const steps: { readonly what: string; readonly undo: () => Promise<void> }[] = [];
  return {
    push: (what, undo) => void steps.push({ what, undo }),
    run: async (log) => {
      for (let last = steps.pop(); last !== undefined; last = steps.pop()) {
        try {
          await last.undo();
          log.info(`rolled back: ${last.what}`);
        } catch (error) {
          const kept = steps.map(({ what }) => what).join(', ');
          log.error(`cannot roll back: ${last.what}; a DEL of the container will`, {
            error: errorText(error),
            ...(kept === '' ? {} : { kept }),
          });
          return;
        }
      }
    },
  };
}
