/** Which keys are there, at which revisions: what a change is compared with to tell whether it is news. */

import type { Revision } from '../../base/revision.ts';
import type { Change } from '../../datastore/watch.ts';
import type { WatchedPrefix } from './watched-prefix.ts';

/** The last that was noted. */
export interface LatestChange {
  readonly key: string;
  readonly revision: Revision;
  /** Or it has been deleted. */
  readonly isThere: boolean;
}

export interface KeyLedger {
  /** The changes that are news, the last one of each key, in order. Nothing is noted. */
  readonly news: (changes: readonly Change[]) => readonly Change[];
  /** Essential prefixes under which something is, and nothing will be after the changes. */
  readonly emptiedBy: (news: readonly Change[]) => readonly string[];
  /** Notes the news. */
  readonly note: (news: readonly Change[]) => void;
  /** All that is there has been noted: what went before that is forgotten. */
  readonly complete: () => void;
  /** `undefined` while nothing is there. */
  readonly latest: () => LatestChange | undefined;
  readonly revisionOf: (key: string) => Revision | undefined;
  readonly keys: () => Iterable<string>;
  /** How many keys are there. */
  readonly size: () => number;
}

export function createKeyLedger(prefixes: readonly WatchedPrefix[]): KeyLedger {
  const essential = prefixes.filter(({ isEssential }) => isEssential).map(({ prefix }) => prefix);
  const revisions = new Map<string, Revision>();
  let lastGone: LatestChange | undefined;
  const isNews = ({ key, value, revision }: Change) => {
    const known = revisions.get(key);
    if (known === undefined) return value !== undefined;
    return BigInt(revision) > BigInt(known);
  };
  return {
    news: (changes) => {
      const last = new Map<string, Change>();
      for (const change of changes) {
        last.delete(change.key);
        last.set(change.key, change);
      }
      return [...last.values()].filter(isNews);
    },
    emptiedBy: (news) =>
      essential.filter((prefix) => {
        const here = news.filter(({ key }) => key.startsWith(prefix));
        if (here.length === 0 || here.some(({ value }) => value !== undefined)) return false;
        const gone = new Set(here.map(({ key }) => key));
        return revisions.keys().every((key) => !key.startsWith(prefix) || gone.has(key));
      }),
    note: (news) => {
      for (const { key, value, revision } of news) {
        if (value === undefined) {
          revisions.delete(key);
          lastGone = { key, revision, isThere: false };
        } else {
          revisions.set(key, revision);
        }
      }
    },
    complete: () => {
      lastGone = undefined;
    },
    latest: () => {
      let latest = lastGone;
      for (const [key, revision] of revisions)
        if (latest === undefined || BigInt(revision) > BigInt(latest.revision))
          latest = { key, revision, isThere: true };
      return latest;
    },
    revisionOf: (key) => revisions.get(key),
    keys: () => revisions.keys(),
    size: () => revisions.size,
  };
}
