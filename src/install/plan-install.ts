/** From what is wanted and what was found to the changes that are to be made, in the order in which they take effect. Pure. */

import type { Found, WantedFile } from './wanted-file.ts';

export interface InstallPlan {
  /** In the order in which they appear on the host. */
  readonly changes: readonly WantedFile[];
  /** What is as it should be, or is left as it is. */
  readonly kept: readonly WantedFile[];
  /** What an installer that was killed has left behind. */
  readonly leftovers: readonly string[];
}

export interface PlanRequest {
  readonly wanted: readonly WantedFile[];
  /** For each wanted file, in their order. */
  readonly found: readonly Found[];
  readonly leftovers: readonly string[];
  /** Whether executables that are there already are replaced. */
  readonly replacesExecutables: boolean;
}

export function planInstall({ wanted, found, leftovers, replacesExecutables }: PlanRequest): InstallPlan {
  /** Made on the way, and not to stay. */
  const isMade = (path: string) => wanted.some((file) => file.path === path && file.type !== 'absent');
  const isKept = (file: WantedFile, index: number): boolean => {
    const is = found[index] ?? 'absent';
    if (file.type === 'absent') return is === 'absent' && !isMade(file.path);
    if (is === 'absent') return false;
    if (isExecutable(file) && !replacesExecutables) return true;
    return is === 'same' && (file.type !== 'hard-link' || isKeptAt(file.to));
  };
  /** Another name of a file that is replaced would go on to be the former one. */
  const isKeptAt = (path: string) => wanted.every((file, index) => file.path !== path || isKept(file, index));
  return {
    changes: wanted.filter((file, index) => !isKept(file, index)),
    kept: wanted.filter(isKept),
    leftovers,
  };
}

function isExecutable({ type }: WantedFile): boolean {
  return type === 'copy' || type === 'hard-link';
}

/** Whether there is nothing to do. */
export function isDone({ changes, leftovers }: InstallPlan): boolean {
  return changes.length === 0 && leftovers.length === 0;
}
