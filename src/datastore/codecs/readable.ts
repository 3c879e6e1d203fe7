/** Reads a record that may be damaged without letting it stop everything else. Pure. */

import { isCalicoError } from '../../base/calico-error.ts';

/** What `decode` gives, or `undefined` when the data is corrupt, which `warn` is told. */
export function readable<T>(warn: (text: string) => void, decode: () => T): T | undefined {
  try {
    return decode();
  } catch (error) {
    if (!isCalicoError(error, 'corrupt')) throw error;
    warn(error.message);
    return undefined;
  }
}
