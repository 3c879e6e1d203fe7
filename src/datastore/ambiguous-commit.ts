/** A commit whose outcome is unknown: it was sent, and no answer came back. Pure. */

import { CalicoError } from '../base/calico-error.ts';

/** The caller reads back and decides again; it never repeats or undoes the writes blindly. */
export class AmbiguousCommitError extends CalicoError {
  override readonly name = 'AmbiguousCommitError';

  constructor(cause: unknown) {
    super('unavailable', 'the datastore did not confirm a write; it may or may not have been applied', {
      cause,
      ...(cause instanceof Error ? { details: cause.message } : {}),
    });
  }
}
