/** Second choice: a block that does not exist yet. Pure. */

import { CalicoError } from '../../base/calico-error.ts';
import { standingOf } from '../affinity.ts';
import { existenceOf, isRead, loadBlock, type NamedCidr } from '../known-blocks.ts';
import { lookAtBlocks, lookAtListing } from '../look.ts';
import type { AddressSearch, SearchAnswer } from './address-search.ts';
import { candidateBlocks, ownedBlocks } from './candidates.ts';
import { takeAsOwn } from './own-block.ts';
import { describePools } from './refusals.ts';

/** So many blocks of the order are asked for by name before the names of all are listed. */
export const PROBES = 8;

/** How many blocks a node may own per family when nothing sets a limit (Calico's default). */
const DEFAULT_MAX_BLOCKS = 20;

/** Claims the first block of the order that is absent. Throws when this node may not claim any. */
export function takeFromNewBlock(search: AddressSearch): SearchAnswer {
  checkMayClaim(search);
  const { facts, family } = search;
  const probes = candidateBlocks(search).take(PROBES).toArray();
  const justClaimed = takeFromJustClaimed(search, probes);
  if (justClaimed !== undefined) return justClaimed;
  const hole = probes.find((place) => existenceOf(facts, place) === 'absent');
  if (hole !== undefined) return takeAsOwn(search, hole);
  const unknown = probes.filter((place) => existenceOf(facts, place) === 'unknown');
  if (unknown.length > 0) return { outcome: 'look', look: lookAtBlocks(unknown) };
  if (probes.length < PROBES) return undefined;
  if (!facts.blockListings.has(family)) return { outcome: 'look', look: lookAtListing(family, false) };
  const found = candidateBlocks(search).find((place) => existenceOf(facts, place) === 'absent');
  return found && takeAsOwn(search, found);
}

/**
 * A block that is this node's though its affinity has not been read: another call claimed it after the affinities
 * were read. Without this, calls that start together would each claim a block of their own.
 */
function takeFromJustClaimed(search: AddressSearch, probes: readonly NamedCidr[]): SearchAnswer {
  const { facts, request } = search;
  const isOurs = (place: NamedCidr) =>
    standingOf(loadBlock(facts, place, request.nowNs)?.value, request.nodeName) === 'ours';
  for (const place of probes.filter((probe) => isRead(facts, probe) && isOurs(probe))) {
    const taken = takeAsOwn(search, place);
    if (taken !== undefined) return taken;
  }
  return undefined;
}

function checkMayClaim(search: AddressSearch): void {
  const { config } = search.facts;
  const owned = ownedBlocks(search).map(({ text }) => text);
  const limit = config.maxBlocksPerHost > 0 ? config.maxBlocksPerHost : DEFAULT_MAX_BLOCKS;
  const facts = `node ${search.request.nodeName} owns ${owned.length} IPv${search.family} blocks in pools ${describePools(search.pools)} and none has a free address: [${owned.join(' ')}]`;
  if (owned.length >= limit) {
    throw new CalicoError('no-address', 'cannot allocate new block due to per host block limit', {
      details: `Need to allocate an IPAM block but could not - limit of ${limit} blocks reached for this node; ${facts}. Raise the limit (calicoctl ipam configure --max-blocks-per-host), or free addresses on this node`,
    });
  }
  if (!config.autoAllocateBlocks) {
    throw new CalicoError('no-address', 'failed to find or claim a block', {
      details: `auto_allocate_blocks is off in Calico's IPAM configuration, and ${facts}. Turn it on, or claim a block for this node`,
    });
  }
}
