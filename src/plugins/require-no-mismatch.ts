/** What CHECK answers. Pure. */

import { CalicoError } from '../base/calico-error.ts';
import { formatMismatch, type Mismatch } from '../base/mismatch.ts';

/** Throws `difference`: the first is the message, the others are its details. */
export function requireNoMismatch([first, ...others]: readonly Mismatch[]): void {
  if (first === undefined) return;
  throw new CalicoError(
    'difference',
    formatMismatch(first),
    others.length === 0 ? {} : { details: `also: ${others.map(formatMismatch).join('; ')}` },
  );
}
