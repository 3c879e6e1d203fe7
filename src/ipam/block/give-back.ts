/** Returns addresses to those from whom they were taken over. Pure. */

import { type AllocationBlock, ordinalOf } from '../allocation-block.ts';
import type { TakenOver } from '../facts.ts';
import { isSameHandle } from '../handle-id.ts';
import { allocateOrdinals } from './allocate.ts';
import { attributeOf } from './attribute.ts';
import { dropUnusedAttributes } from './collect.ts';

/** The block after addresses were returned. */
export interface GivingBack {
  readonly block: AllocationBlock;
  readonly givenBack: readonly TakenOver[];
}

/** Only what one of the handles holds: what somebody else has by now is theirs. The same block when that is nothing. */
export function giveBack(
  block: AllocationBlock,
  handleIds: readonly string[],
  takenOver: readonly TakenOver[],
): GivingBack {
  const givenBack = takenOver.filter(({ address }) => {
    const ordinal = ordinalOf(block, address);
    const holder = ordinal === undefined ? undefined : attributeOf(block, ordinal)?.handleId;
    return holder !== undefined && handleIds.some((handleId) => isSameHandle(handleId, holder));
  });
  if (givenBack.length === 0) return { block, givenBack };
  const returned = givenBack.reduce(returnOne, block);
  return { block: dropUnusedAttributes(returned), givenBack };
}

function returnOne(block: AllocationBlock, { address, from }: TakenOver): AllocationBlock {
  const ordinal = ordinalOf(block, address);
  return ordinal === undefined ? block : allocateOrdinals(block, [ordinal], from);
}
