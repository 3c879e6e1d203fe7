/**
 * What has been read of the datastore so far. It grows by reads and is corrected by lost commits; decisions are
 * functions of it. A value: every step returns a new one. Pure.
 */

import type { Entry, Range, Snapshot } from './store.ts';

export interface View {
  /** Single keys and members of listed prefixes; `undefined`: known not to exist. */
  readonly entries: ReadonlyMap<string, Entry | undefined>;
  /** Prefixes that were read whole, with their values. */
  readonly prefixes: ReadonlySet<string>;
  /** Prefixes of which only the keys were read. */
  readonly keyLists: ReadonlyMap<string, ReadonlySet<string>>;
}

export const EMPTY_VIEW: View = { entries: new Map(), prefixes: new Set(), keyLists: new Map() };

/** The view after a read: `snapshot` answers `ranges`, one by one. */
export function withSnapshot(view: View, ranges: readonly Range[], snapshot: Snapshot): View {
  const entries = new Map(view.entries);
  const prefixes = new Set(view.prefixes);
  const keyLists = new Map(view.keyLists);
  ranges.forEach((range, index) => {
    const found = snapshot.entries[index] ?? [];
    if ('key' in range) {
      entries.set(range.key, found[0]);
    } else if (range.keysOnly === true) {
      keyLists.set(range.prefix, new Set(found.map(({ key }) => key)));
    } else {
      forgetUnder(entries, range.prefix);
      for (const entry of found) entries.set(entry.key, entry);
      prefixes.add(range.prefix);
    }
  });
  return { entries, prefixes, keyLists };
}

/** The view after a lost commit: the current values of the keys it expected. */
export function withCurrent(view: View, current: ReadonlyMap<string, Entry | undefined>): View {
  return { ...view, entries: new Map([...view.entries, ...current]) };
}

/** The entry of a key; `undefined` when it does not exist or was not read. */
export function entryAt(view: View, key: string): Entry | undefined {
  return view.entries.get(key);
}

/** Entries whose keys start with the prefix, in key order. */
export function entriesUnder(view: View, prefix: string): readonly Entry[] {
  return [...view.entries.values()]
    .filter((entry) => entry?.key.startsWith(prefix) === true)
    .filter((entry) => entry !== undefined)
    .sort((a, b) => (a.key < b.key ? -1 : 1));
}

/** Every existing key under the prefix, or `undefined` while the prefix has not been listed. */
export function keysUnder(view: View, prefix: string): ReadonlySet<string> | undefined {
  const listed = view.keyLists.get(prefix);
  if (listed === undefined && !view.prefixes.has(prefix)) return undefined;
  const keys = new Set(listed);
  for (const [key, entry] of view.entries) {
    if (!key.startsWith(prefix)) continue;
    if (entry === undefined) keys.delete(key);
    else keys.add(key);
  }
  return keys;
}

function forgetUnder(entries: Map<string, Entry | undefined>, prefix: string): void {
  for (const key of entries.keys()) if (key.startsWith(prefix)) entries.delete(key);
}
