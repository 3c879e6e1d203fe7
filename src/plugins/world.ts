/** All that a plugin takes from outside itself, as values and ports; `main.ts` fills it in. */

import type { Clock } from '../base/deadline.ts';
import type { Interruption } from '../base/interruption.ts';
import type { Random } from '../base/random.ts';

export interface World {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly pid: number;
  /** Whether the process that started this one has ended. */
  readonly isOrphan: () => boolean;
  readonly clock: Clock;
  /** The signal by which the runtime ends a call before its time. */
  readonly interruption: Interruption;
  readonly random: Random;
  readonly sha1Hex: (text: string) => string;
  readonly writeStderr: (text: string) => void;
}
