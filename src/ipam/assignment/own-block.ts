/** First choice: a block this node has an affinity to. Pure. */

import { isRead, type NamedCidr, nameCidr } from '../known-blocks.ts';
import { lookAtBlocks } from '../look.ts';
import {
  type AddressSearch,
  ownAffinities,
  type SearchAnswer,
  type Taken,
  takeFrom,
} from './address-search.ts';
import { asOwn } from './usable-block.ts';

/** In key order, blocks that have been read before those that have not: a block with room ends the search. */
export function takeFromOwnBlock(search: AddressSearch): SearchAnswer {
  const places = ownAffinities(search, true).map(({ cidr }) => nameCidr(cidr));
  for (const place of places) {
    const taken = isRead(search.facts, place) ? takeAsOwn(search, place) : undefined;
    if (taken !== undefined) return taken;
  }
  const unread = places.filter((place) => !isRead(search.facts, place));
  return unread.length === 0 ? undefined : { outcome: 'look', look: lookAtBlocks(unread) };
}

/** From the block as this node's own; `undefined` when it cannot be that, or has no room. */
export function takeAsOwn(search: AddressSearch, place: NamedCidr): Taken | undefined {
  const own = asOwn(search.request, search.facts, place);
  return own && takeFrom(search, own);
}
