/** The blocks of the pools that this node does not have yet. Pure. */

import { standingOf } from '../affinity.ts';
import { blocksInOrder } from '../block-order.ts';
import { isRead, loadBlock, type NamedCidr, nameCidr } from '../known-blocks.ts';
import { type AddressSearch, ownAffinities } from './address-search.ts';

/** Pool after pool, each from this node's own start; lazily, since a pool may have 2^108 blocks. */
export function* candidateBlocks(search: AddressSearch): Generator<NamedCidr, void, undefined> {
  const own = new Set(ownedBlocks(search).map(({ text }) => text));
  for (const pool of search.pools) {
    for (const cidr of blocksInOrder(pool, search.request.nodeName, search.facts.reservations)) {
      const candidate = nameCidr(cidr);
      if (!own.has(candidate.text)) yield candidate;
    }
  }
}

/** The blocks this node owns in the pools, without stale affinities to what others own. */
export function ownedBlocks(search: AddressSearch): readonly NamedCidr[] {
  const { facts, request } = search;
  return ownAffinities(search, true)
    .map(({ cidr }) => nameCidr(cidr))
    .filter(
      (place) =>
        !isRead(facts, place) ||
        standingOf(loadBlock(facts, place, request.nowNs)?.value, request.nodeName) !== 'foreign',
    );
}
