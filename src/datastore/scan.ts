/**
 * Reads everything under some prefixes, at one revision, however much it is: a page at a time, so that no more than a
 * page of each prefix is in memory.
 */

import { checkDeadline, type Deadline } from '../base/deadline.ts';
import type { Revision } from '../base/revision.ts';
import type { Entry, PrefixRange, Store } from './store.ts';

export interface ScanPage {
  /** Of the range that it is a page of. */
  readonly prefix: string;
  readonly entries: readonly Entry[];
  /** At which all pages were read. */
  readonly revision: Revision;
}

/** Values can be of any size, so the first pages are small. */
const FIRST_ENTRIES = 128;
const MAX_ENTRIES = 4096;
/** About as much text is asked for at once. */
const PAGE_CHARACTERS = 1 << 20;

/**
 * Pages in the order of the prefixes, and of the keys below each; an empty one for a prefix without keys. Rejects with
 * `conflict` when the store has forgotten the revision meanwhile: then everything is to be read again.
 */
export async function* scan(
  store: Store,
  ranges: readonly PrefixRange[],
  deadline: Deadline,
): AsyncGenerator<ScanPage, void, undefined> {
  const first = await store.read(
    ranges.map((range) => ({ ...range, limit: FIRST_ENTRIES })),
    deadline,
  );
  const { revision } = first;
  const pending = [...first.entries];
  for (const range of ranges) {
    let entries = pending.shift() ?? [];
    let limit = FIRST_ENTRIES;
    yield { prefix: range.prefix, entries, revision };
    for (let last = entries.at(-1); last !== undefined && entries.length === limit; last = entries.at(-1)) {
      checkDeadline(deadline, `reading ${range.prefix}`);
      limit = nextLimit(entries);
      const page = { ...range, limit, after: last.key, at: range.at ?? revision };
      entries = (await store.read([page], deadline)).entries[0] ?? [];
      yield { prefix: range.prefix, entries, revision };
    }
  }
}

function nextLimit(entries: readonly Entry[]): number {
  const characters = entries.reduce((sum, { key, value }) => sum + key.length + value.length, 0);
  const fitting = Math.floor((PAGE_CHARACTERS * entries.length) / Math.max(1, characters));
  return Math.max(1, Math.min(MAX_ENTRIES, fitting));
}
