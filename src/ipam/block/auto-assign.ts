/** Takes the next free addresses of a block (Calico's AutoAssignFromBlock). Pure. */

import type { Cidr } from '../../base/cidr.ts';
import type { IpAddress } from '../../base/ip-address.ts';
import { type AllocationBlock, addressOf } from '../allocation-block.ts';
import { reservedOrdinals } from '../reservations.ts';
import { checkAffinity } from './affinity-check.ts';
import { allocateOrdinals } from './allocate.ts';
import { ownerAttribute } from './attribute.ts';

/** How many addresses are taken, by whom, and which are not to be given. */
export interface AutoAssignment {
  /** At most so many addresses. */
  readonly count: number;
  readonly handleId: string | undefined;
  readonly owner: Readonly<Record<string, string>>;
  /** The affinity the block must have (`host:<node>`), under strict affinity. */
  readonly affinityCheck?: string | undefined;
  readonly reservations: readonly Cidr[];
}

/**
 * From the head of `unallocated`; reserved ordinals are passed over and keep their place. Fewer addresses
 * than asked for, or none, when the block has no more: the block is then the given one.
 */
export function autoAssign(
  block: AllocationBlock,
  { count, handleId, owner, affinityCheck, reservations }: AutoAssignment,
): { readonly block: AllocationBlock; readonly addresses: readonly IpAddress[] } {
  checkAffinity(block, affinityCheck);
  const reserved = reservedOrdinals(block.cidr, reservations);
  const ordinals = block.unallocated
    .values()
    .filter((ordinal) => !reserved.has(ordinal))
    .take(count)
    .toArray();
  if (ordinals.length === 0) return { block, addresses: [] };
  return {
    block: allocateOrdinals(block, ordinals, ownerAttribute(handleId, owner)),
    addresses: ordinals.map((ordinal) => addressOf(block, ordinal)),
  };
}
