/** Whether a datastore that is reached again has gone on from where it was left, or from somewhere before that. */

import type { Deadline } from '../../base/deadline.ts';
import type { Revision } from '../../base/revision.ts';
import type { Store } from '../../datastore/store.ts';
import type { LatestChange } from './key-ledger.ts';

/**
 * Asks for the last change that was heard of, as it was when more was heard: in a backup that was restored, and has been
 * written to since, it has not happened, or not then. Rejects with `conflict` when the datastore has forgotten that time,
 * and with what reading rejects with.
 */
export async function hasGoneOn(
  store: Pick<Store, 'read'>,
  latest: LatestChange,
  heard: Revision,
  deadline: Deadline,
): Promise<boolean> {
  const range = { prefix: latest.key, keysOnly: true, limit: 1 };
  const at = BigInt(heard) > BigInt(latest.revision) ? heard : latest.revision;
  const now = await store.read([range], deadline);
  if (BigInt(now.revision) < BigInt(at)) return false;
  const then = await store.read([{ ...range, at }], deadline);
  const found = then.entries[0]?.find(({ key }) => key === latest.key);
  return found?.revision === (latest.isThere ? latest.revision : undefined);
}
