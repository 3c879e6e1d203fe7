/** Reads all that the agent follows at one revision, and tells what is different from what it knew. */

import type { Deadline } from '../../base/deadline.ts';
import type { Revision } from '../../base/revision.ts';
import { scan } from '../../datastore/scan.ts';
import { type Entry, MAX_OPERATIONS, type Store } from '../../datastore/store.ts';
import type { Change } from '../../datastore/watch.ts';
import type { KeyLedger } from './key-ledger.ts';
import type { WatchedPrefix } from './watched-prefix.ts';

export interface PictureRequest {
  readonly store: Store;
  readonly prefixes: readonly WatchedPrefix[];
  readonly isWanted: (key: string) => boolean;
  readonly deadline: Deadline;
  /** What is known; it is not changed. */
  readonly ledger: KeyLedger;
  /** What is known was told up to here. A picture of an earlier revision is one of another history. */
  readonly reached: Revision;
  /** The revisions are of another history than those of the ledger: everything is news. */
  readonly isOtherHistory: boolean;
  /** Takes a part of the changes, so that not all values of a large cluster are in memory at once. */
  readonly onPart: (changes: readonly Change[], revision: Revision) => void;
}

export interface Picture {
  readonly revision: Revision;
  /** Those that are in no part. */
  readonly changes: readonly Change[];
  /** Essential prefixes under which there is nothing. */
  readonly empty: readonly string[];
}

/** So much text makes a part. */
const PART_CHARACTERS = 1 << 20;

/** Tells what is there in parts and what is gone at the end. Rejects with what reading rejects with. */
export async function readPicture(request: PictureRequest): Promise<Picture> {
  const { store, prefixes, isWanted, deadline, ledger } = request;
  const sparse = new Set(prefixes.filter(({ isSparse }) => isSparse).map(({ prefix }) => prefix));
  const ranges = prefixes.map(({ prefix }) => ({ prefix, keysOnly: sparse.has(prefix) }));
  const seen = new Set<string>();
  const filled = new Set<string>();
  let changes: Change[] = [];
  let characters = 0;
  const toRead: string[] = [];
  let revision: Revision = '';
  for await (const page of scan(store, ranges, deadline)) {
    ({ revision } = page);
    const isOtherHistory = request.isOtherHistory || BigInt(revision) < BigInt(request.reached);
    if (page.entries.length > 0) filled.add(page.prefix);
    for (const entry of page.entries) {
      if (!isWanted(entry.key)) continue;
      seen.add(entry.key);
      if (!isOtherHistory && ledger.revisionOf(entry.key) === entry.revision) continue;
      if (sparse.has(page.prefix)) toRead.push(entry.key);
      else changes.push(entry);
      characters += entry.value.length;
    }
    if (characters < PART_CHARACTERS) continue;
    request.onPart(changes, revision);
    changes = [];
    characters = 0;
  }
  for (const entry of await readKeys(toRead, store, deadline)) changes.push(entry);
  for (const key of ledger.keys()) {
    if (!seen.has(key)) changes.push({ key, value: undefined, revision });
  }
  const empty = prefixes.filter(({ prefix, isEssential }) => isEssential && !filled.has(prefix));
  return { revision, changes, empty: empty.map(({ prefix }) => prefix) };
}

/** As they are by now, which may be later than the picture: the changes until then will be no news. */
async function readKeys(
  keys: readonly string[],
  store: Store,
  deadline: Deadline,
): Promise<readonly Entry[]> {
  const found: Entry[] = [];
  for (let start = 0; start < keys.length; start += MAX_OPERATIONS) {
    const some = keys.slice(start, start + MAX_OPERATIONS).map((key) => ({ key }));
    found.push(...(await store.read(some, deadline)).entries.flat());
  }
  return found;
}
