/** All that a command takes from outside itself, as values and ports; `main.ts` fills it in. */

import type { Clock } from '../base/deadline.ts';
import type { Interruption } from '../base/interruption.ts';
import type { Random } from '../base/random.ts';

/** 0: done, and nothing found wrong. 1: it failed, or found something. 2: the command line is wrong. */
export type ExitCode = 0 | 1 | 2;

export interface CommandWorld {
  readonly version: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly pid: number;
  /** Path of the executable itself. */
  readonly executable: string;
  readonly clock: Clock;
  readonly random: Random;
  /** SIGTERM or SIGINT. */
  readonly interruption: Interruption;
  /** How stdout is seen: by a person at a terminal so wide, or by a program. */
  readonly terminal: { readonly isTerminal: boolean; readonly columns: number };
  readonly writeStdout: (text: string) => Promise<void>;
  readonly writeStderr: (text: string) => Promise<void>;
  readonly readStdin: () => Promise<string>;
  /** The line that a person answers; `undefined` when nobody sits at a terminal. */
  readonly ask: (question: string) => Promise<string | undefined>;
}
