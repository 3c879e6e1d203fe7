/** What is said about collecting garbage, in the environment or as flags. Pure. */

import { CalicoError } from '../../base/calico-error.ts';
import { parseGoDuration } from '../registration/go-duration.ts';

/** `dry-run`: everything is looked at and told, and nothing is written. */
export type GarbageMode = 'off' | 'dry-run' | 'on';

export const GARBAGE_MODES: readonly GarbageMode[] = ['off', 'dry-run', 'on'];

export interface GarbageSettings {
  readonly mode: GarbageMode;
  /** Between the first look that finds a thing to be garbage and the one that collects it. */
  readonly graceMs: number;
  /** Where the runtime's CNI library keeps its results; `undefined`: the runtime keeps none. */
  readonly cniCache: string | undefined;
}

/** As Calico's kube-controllers: `leakGracePeriod` is 15 minutes. */
const GRACE_MS = 15 * 60_000;
/** libcni's own default, which containerd and CRI-O leave as it is. */
const CNI_CACHE = '/var/lib/cni';
/** An ADD that waits for its turn, works and takes everything back is over by then. */
export const LONGEST_ADD_MS = 60_000;

/** Throws `config`, naming the variable and its value. An empty variable counts as absent. */
export function readGarbageSettings(env: Readonly<Record<string, string | undefined>>): GarbageSettings {
  const variable = (name: string) => env[name]?.trim() || undefined;
  const grace = variable('GARBAGE_COLLECTION_GRACE_PERIOD');
  const cache = variable('GARBAGE_COLLECTION_CNI_CACHE') ?? CNI_CACHE;
  return {
    mode: modeOf(variable('GARBAGE_COLLECTION') ?? 'off'),
    graceMs: grace === undefined ? GRACE_MS : parseGoDuration(grace, 'GARBAGE_COLLECTION_GRACE_PERIOD'),
    cniCache: cache === 'none' ? undefined : cache,
  };
}

function modeOf(text: string): GarbageMode {
  const mode = GARBAGE_MODES.find((one) => one === text.toLowerCase());
  if (mode !== undefined) return mode;
  throw new CalicoError(
    'config',
    `invalid GARBAGE_COLLECTION ${JSON.stringify(text)}: it must be ${GARBAGE_MODES.join(', ')}`,
  );
}
