/** Undo travels with the effect: each step that changed something says at once how to take it back. */

import { errorText } from '../base/calico-error.ts';
import type { Log } from '../base/log.ts';

export interface Rollback {
  /** Remembers how to undo what was just done. */
  push(what: string, undo: () => Promise<void>): void;
  /** Undoes everything, last first. A step that fails is logged and does not keep the others from running. */
  run(log: Log): Promise<void>;
}

export function createRollback(): Rollback {
  const steps: { readonly what: string; readonly undo: () => Promise<void> }[] = [];
  return {
    push: (what, undo) => void steps.push({ what, undo }),
    run: async (log) => {
      for (const { what, undo } of steps.reverse()) {
        try {
          await undo();
          log.info(`rolled back: ${what}`);
        } catch (error) {
          log.error(`cannot roll back: ${what}; a DEL of the container will`, { error: errorText(error) });
        }
      }
    },
  };
}
