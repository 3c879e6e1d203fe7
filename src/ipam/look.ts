/** Requests for more facts. Pure. */

import type { Cidr } from '../base/cidr.ts';
import type { Look } from './facts.ts';
import { type NamedCidr, nameCidr, uniquePlaces } from './known-blocks.ts';

/** So many blocks are read at once; a full block of 64 pods is some 15 KiB. */
export const MAX_BLOCKS_PER_LOOK = 64;

const NOTHING: Look = { blocks: [], listings: [], affinities: [], handles: [] };

/** The first {@link MAX_BLOCKS_PER_LOOK} of the blocks. */
export function lookAtBlocks(blocks: readonly NamedCidr[]): Look {
  return { ...NOTHING, blocks: blocks.slice(0, MAX_BLOCKS_PER_LOOK).map(({ cidr }) => cidr) };
}

/** All blocks of a family: their names, or their values as well. */
export function lookAtListing(family: Cidr['family'], withValues: boolean): Look {
  return { ...NOTHING, listings: [{ family, withValues }] };
}

/** Another node's affinity to a block. */
export function lookAtAffinity(nodeName: string, cidr: Cidr): Look {
  return { ...NOTHING, affinities: [{ nodeName, cidr }] };
}

/** Handles of others: this ADD's own is read at the beginning. */
export function lookAtHandles(handleIds: readonly string[]): Look {
  return { ...NOTHING, handles: handleIds };
}

/** All of them in one, no block twice, the first ones first. */
export function mergeLooks(looks: readonly Look[]): Look {
  const places = uniquePlaces(looks.flatMap((look) => look.blocks.map(nameCidr)));
  return {
    blocks: lookAtBlocks(places).blocks,
    listings: looks.flatMap((look) => look.listings),
    affinities: looks.flatMap((look) => look.affinities),
    handles: [...new Set(looks.flatMap((look) => look.handles))],
  };
}
