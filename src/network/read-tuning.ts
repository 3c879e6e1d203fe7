/**
 * What the chained plugin `tuning` has changed at a pod's interface. It notes the former values, to put them back at its
 * DEL; a new MTU is told nowhere else, and of a new MAC the former one is not.
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isJsonObject } from '../base/json-object.ts';

/** Where it keeps its notes unless its configuration has another `dataDir`. */
const TUNING_FOLDER = '/run/cni/tuning';

export interface Tuning {
  /** What the interface had before; `undefined` when that was not changed. */
  readonly formerMac: string | undefined;
  readonly formerMtu: number | undefined;
}

const NOT_TUNED: Tuning = { formerMac: undefined, formerMtu: undefined };

/** The note about one interface. Without one, or where it cannot be understood, nothing was changed. */
export function readTuning(containerId: string, ifName: string, folder = TUNING_FOLDER): Tuning {
  try {
    return parseTuning(readFileSync(join(folder, `${containerId}_${ifName}.json`), 'utf8'));
  } catch {
    return NOT_TUNED;
  }
}

/** `{"mac": "02:11:22:33:44:55", "mtu": 1300}`, both optional. Throws when it is no JSON. */
export function parseTuning(text: string): Tuning {
  const note: unknown = JSON.parse(text);
  if (!isJsonObject(note)) return NOT_TUNED;
  const { mac, mtu } = note;
  return {
    formerMac: typeof mac === 'string' && mac !== '' ? mac : undefined,
    formerMtu: typeof mtu === 'number' && mtu > 0 ? mtu : undefined,
  };
}
