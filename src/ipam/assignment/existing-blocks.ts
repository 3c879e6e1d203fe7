/** The blocks of the pools that exist and are not this node's, with what is in them. Pure. */

import type { Stored } from '../../base/revision.ts';
import type { AllocationBlock } from '../allocation-block.ts';
import { existenceOf, isRead, loadBlock, type NamedCidr } from '../known-blocks.ts';
import { lookAtBlocks, lookAtListing, MAX_BLOCKS_PER_LOOK } from '../look.ts';
import type { AddressSearch, MustLook } from './address-search.ts';
import { candidateBlocks } from './candidates.ts';

/** A candidate that exists, as it may be used now. */
export interface ExistingBlock extends NamedCidr {
  readonly stored: Stored<AllocationBlock>;
}

/**
 * In the order of the search. What has not been read is asked for first: a few blocks by name, many with one
 * listing. Only to be called when no candidate is known to be absent, which bounds their number.
 */
export function existingBlocks(search: AddressSearch): readonly ExistingBlock[] | MustLook {
  const { facts, family, request } = search;
  const places = [...candidateBlocks(search)].filter((place) => existenceOf(facts, place) !== 'absent');
  const unread = places.filter((place) => !isRead(facts, place));
  if (unread.length > MAX_BLOCKS_PER_LOOK) return { outcome: 'look', look: lookAtListing(family, true) };
  if (unread.length > 0) return { outcome: 'look', look: lookAtBlocks(unread) };
  return places.flatMap((place) => {
    const stored = loadBlock(facts, place, request.nowNs);
    return stored === undefined ? [] : [{ ...place, stored }];
  });
}

/** Tells the request for more facts from the blocks. */
export function isLook(found: readonly ExistingBlock[] | MustLook): found is MustLook {
  return 'outcome' in found;
}
