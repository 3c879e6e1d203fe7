/** What must be so on the host when the installer is done: one value for each file. Pure. */

import type { Secret } from '../base/secret.ts';

export type WantedFile =
  | { readonly type: 'folder'; readonly path: string; readonly mode: number }
  /** `prints`: what it answers to `-v`, if that is to be tried before it takes its place. */
  | {
      readonly type: 'copy';
      readonly path: string;
      readonly source: string;
      readonly mode: number;
      readonly prints?: string;
    }
  /** Another name of the file `to`, which is in the same folder. */
  | { readonly type: 'hard-link'; readonly path: string; readonly to: string }
  | { readonly type: 'text'; readonly path: string; readonly text: Secret; readonly mode: number }
  | { readonly type: 'symlink'; readonly path: string; readonly target: string }
  /** Nothing; a folder goes with all that is in it. */
  | { readonly type: 'absent'; readonly path: string };

/** How the host is: there is nothing, exactly what is wanted, or anything else. */
export type Found = 'absent' | 'same' | 'different';
