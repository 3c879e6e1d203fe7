/** Tells on stderr how far a long run is. */

import type { CommandWorld } from '../command-world.ts';
import { pluralOf } from './findings-text.ts';

export interface Progress {
  /** So many records more. */
  add(what: string, count: number): Promise<void>;
}

/** Short runs need no words. */
const FIRST_MS = 1_000;
const NEXT_MS = 1_000;

export function showProgress({ clock, writeStderr }: Pick<CommandWorld, 'clock' | 'writeStderr'>): Progress {
  const counts = new Map<string, number>();
  let nextMs = clock.monotonicMs() + FIRST_MS;
  return {
    add: async (what, count) => {
      counts.set(what, (counts.get(what) ?? 0) + count);
      if (clock.monotonicMs() < nextMs) return;
      nextMs = clock.monotonicMs() + NEXT_MS;
      const read = [...counts].filter(([, number]) => number > 0);
      await writeStderr(
        `read ${read.map(([name, number]) => `${number} ${number === 1 ? name : pluralOf(name)}`).join(', ')} …\n`,
      );
    },
  };
}
