/** Reads what nothing will be written to: for looking alone. */

import type { Deadline } from '../base/deadline.ts';
import { MAX_OPERATIONS, type Range, type Store } from './store.ts';
import { EMPTY_VIEW, type View, withSnapshot } from './view.ts';

/** One read, and one more for every 128 ranges: those may see what was written in between. Throws what `read` throws. */
export async function readAll(store: Store, ranges: readonly Range[], deadline: Deadline): Promise<View> {
  let view = EMPTY_VIEW;
  for (let start = 0; start < ranges.length; start += MAX_OPERATIONS) {
    const some = ranges.slice(start, start + MAX_OPERATIONS);
    view = withSnapshot(view, some, await store.read(some, deadline));
  }
  return view;
}
