/** First choice: a block this node has an affinity to. Pure. */

import { ABSENT } from '../../base/revision.ts';
import { adoptBlock, standingOf } from '../affinity.ts';
import { hostAffinity } from '../allocation-block.ts';
import { createBlock } from '../block/create.ts';
import { isRead, loadBlock, type NamedCidr, nameCidr } from '../known-blocks.ts';
import { lookAtBlocks } from '../look.ts';
import {
  type AddressSearch,
  confirmChange,
  ownAffinities,
  type SearchAnswer,
  takeFrom,
} from './address-search.ts';

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

/**
 * From a block that is this node's, or can become so because nobody else uses it: one that is missing is
 * created with the address inside, one that nobody claims is claimed; the affinity is confirmed with it.
 */
export function takeAsOwn(search: AddressSearch, place: NamedCidr): SearchAnswer {
  const { nodeName, nowNs } = search.request;
  const stored = loadBlock(search.facts, place, nowNs);
  const confirm = confirmChange(search, place);
  switch (standingOf(stored?.value, nodeName)) {
    case 'ours':
      // The block alone decides: whoever wants to take it away has to change it, too.
      return (
        stored && takeFrom(search, stored.value, stored.revision, confirm.to === 'unchanged' ? [] : [confirm])
      );
    case 'missing': {
      const block = createBlock(place.cidr, hostAffinity(nodeName), nowNs);
      return takeFrom(search, block, ABSENT, [confirm], [`claimed block ${place.text}`]);
    }
    case 'adoptable': {
      const note = `claimed block ${place.text}, which nobody had`;
      return (
        stored &&
        takeFrom(search, adoptBlock(stored.value, nodeName, nowNs), stored.revision, [confirm], [note])
      );
    }
    case 'foreign':
      return undefined;
  }
}
