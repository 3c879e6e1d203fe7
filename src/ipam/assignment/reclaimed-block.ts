/** Third choice: a block that exists and that nobody needs. Pure. */

import { ABSENT } from '../../base/revision.ts';
import { isReclaimable, nodeOfAffinity } from '../affinity.ts';
import { type AllocationBlock, hostAffinity } from '../allocation-block.ts';
import { createBlock } from '../block/create.ts';
import { type AssignmentRequest, affinityId } from '../facts.ts';
import { lookAtAffinity } from '../look.ts';
import type { IpamChange } from '../records.ts';
import { type AddressSearch, type SearchAnswer, takeFrom } from './address-search.ts';
import { type ExistingBlock, existingBlocks, isLook } from './existing-blocks.ts';
import { takeAsOwn } from './own-block.ts';
import { confirmChange } from './usable-block.ts';

/**
 * A block nobody claims, or ours without its affinity record, is claimed as it is. Otherwise an empty block of
 * another node, if it had it for a minute, is taken over: their affinity goes, the block begins anew.
 */
export function takeFromReclaimedBlock(search: AddressSearch): SearchAnswer {
  const blocks = existingBlocks(search);
  if (isLook(blocks)) return blocks;
  for (const block of blocks) {
    const taken = takeAsOwn(search, block);
    if (taken !== undefined) return taken;
  }
  for (const block of blocks) {
    const taken = takeOver(search, block);
    if (taken !== undefined) return taken;
  }
  return undefined;
}

function takeOver(search: AddressSearch, block: ExistingBlock): SearchAnswer {
  const { value, revision } = block.stored;
  const loser = nodeOfAffinity(value.affinity);
  if (loser === undefined || !isReclaimable(value, search.request.nowNs)) return undefined;
  const id = affinityId(loser, block.text);
  if (!search.facts.otherAffinities.has(id)) {
    return { outcome: 'look', look: lookAtAffinity(loser, block.cidr) };
  }
  const theirs: IpamChange = {
    record: 'affinity',
    nodeName: loser,
    cidr: block.cidr,
    from: search.facts.otherAffinities.get(id)?.revision ?? ABSENT,
    to: undefined,
  };
  return takeFrom(search, {
    block: renewBlock(search.request, value),
    from: revision,
    also: [theirs, confirmChange(search.facts, search.request.nodeName, block)],
    notes: [`took over block ${block.text}, which ${loser} did not use`],
  });
}

/** The block as if deleted and created again; its numbers go on even if this clock is behind. */
function renewBlock({ nodeName, nowNs }: AssignmentRequest, before: AllocationBlock): AllocationBlock {
  const block = createBlock(before.cidr, hostAffinity(nodeName), nowNs);
  const { sequenceNumber } = before;
  return sequenceNumber < block.sequenceNumber ? block : { ...block, sequenceNumber: sequenceNumber + 1n };
}
