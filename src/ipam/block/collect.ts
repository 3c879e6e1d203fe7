/** Frees what has been given back and has cooled down (Calico's garbage collection of a block). Pure. */

import { NS_PER_SECOND, parseRfc3339 } from '../../base/time.ts';
import type { AllocationBlock, Attribute } from '../allocation-block.ts';

/**
 * Every block goes through this before it is used: expired cooldowns are free in memory, and whatever write
 * follows stores that. A cooldown of 0 or less is over at once. The same object when there is nothing to do.
 */
export function collectGarbage(
  block: AllocationBlock,
  nowNs: bigint,
  cooldownSeconds: number,
): AllocationBlock {
  return dropUnusedAttributes(freeExpired(block, nowNs, cooldownSeconds));
}

function freeExpired(block: AllocationBlock, nowNs: bigint, cooldownSeconds: number): AllocationBlock {
  const expired = new Set<number | null>();
  for (const [index, attribute] of block.attributes.entries()) {
    if (isExpired(attribute, nowNs, cooldownSeconds)) expired.add(index);
  }
  if (expired.size === 0) return block;
  const freed = new Set<number>();
  for (const [ordinal, index] of block.allocations.entries()) if (expired.has(index)) freed.add(ordinal);
  return {
    ...block,
    allocations: block.allocations.map((index) => (expired.has(index) ? null : index)),
    unallocated: [...block.unallocated, ...freed],
    sequenceNumberForAllocation: new Map(
      block.sequenceNumberForAllocation.entries().filter(([ordinal]) => !freed.has(ordinal)),
    ),
  };
}

/** A time that cannot be read is long ago: the ordinal has no holder, and nothing else would ever free it. */
function isExpired({ releasedAt }: Attribute, nowNs: bigint, cooldownSeconds: number): boolean {
  if (releasedAt === undefined) return false;
  if (cooldownSeconds <= 0) return true;
  return (parseRfc3339(releasedAt) ?? 0n) < nowNs - BigInt(cooldownSeconds) * NS_PER_SECOND;
}

/** Attributes that no ordinal refers to go; the others close ranks in their order. The same object when all are needed. */
export function dropUnusedAttributes(block: AllocationBlock): AllocationBlock {
  const used = new Set(block.allocations);
  const kept = block.attributes.flatMap((_, index) => (used.has(index) ? [index] : []));
  if (kept.length === block.attributes.length) return block;
  const renumbered = new Map(kept.map((oldIndex, newIndex) => [oldIndex, newIndex]));
  return {
    ...block,
    attributes: block.attributes.filter((_, index) => used.has(index)),
    allocations: block.allocations.map((index) => (index === null ? null : (renumbered.get(index) ?? index))),
  };
}
