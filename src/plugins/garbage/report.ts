/** What a GC answers when something stayed. Pure. */

import { errorText, isCalicoError } from '../../base/calico-error.ts';
import { CniError, INCOMPLETE_GC } from '../../cni/error.ts';

const SHOWN = 3;

/** Throws one error for all of them, if there are any. */
export function reportFailures(failures: readonly unknown[]): void {
  const [first] = failures;
  if (first === undefined) return;
  const texts = [...new Set(failures.map(describe))];
  const shown = texts.slice(0, SHOWN).join('; ');
  const more = texts.length > SHOWN ? `; and ${texts.length - SHOWN} more` : '';
  throw new CniError(
    INCOMPLETE_GC,
    isCalicoError(first) ? first.kind : 'internal',
    `garbage was left behind: ${shown}${more}`,
    { details: `the next GC tries again. All that failed: ${texts.join('; ')}`, cause: first },
  );
}

function describe(failure: unknown): string {
  return errorText(failure) || 'unknown error';
}
