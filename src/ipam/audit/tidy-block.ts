/** Puts right what a block says of itself. Pure. */

import type { AllocationBlock } from '../allocation-block.ts';
import { dropUnusedAttributes } from '../block/collect.ts';

/** Ordinals that are neither allocated nor queued, ascending: nobody can ever get them. */
export function lostOrdinals({ allocations, unallocated }: AllocationBlock): readonly number[] {
  const queued = new Set(unallocated);
  return allocations.flatMap((index, ordinal) => (index === null && !queued.has(ordinal) ? [ordinal] : []));
}

/** Free ordinals that still have a sequence number. */
export function staleNumbers({
  allocations,
  sequenceNumberForAllocation,
}: AllocationBlock): readonly number[] {
  return [...sequenceNumberForAllocation.keys()].filter((ordinal) => allocations[ordinal] === null);
}

/** Ordinals with a number that the block has not reached. */
export function futureNumbers(block: AllocationBlock): readonly number[] {
  return [...block.sequenceNumberForAllocation]
    .filter(([, number]) => number >= block.sequenceNumber)
    .map(([ordinal]) => ordinal);
}

/** Attributes that no ordinal refers to. */
export function unusedAttributes({ allocations, attributes }: AllocationBlock): number {
  const used = new Set(allocations);
  return attributes.filter((_, index) => !used.has(index)).length;
}

/** Lost ordinals become free, what nothing refers to goes, the number grows past all it has given. The same block when all is well. */
export function tidyBlock(block: AllocationBlock): AllocationBlock {
  return dropUnusedAttributes(withNumbers(withLostOrdinals(block)));
}

function withLostOrdinals(block: AllocationBlock): AllocationBlock {
  const lost = lostOrdinals(block);
  return lost.length === 0 ? block : { ...block, unallocated: [...block.unallocated, ...lost] };
}

function withNumbers(block: AllocationBlock): AllocationBlock {
  const stale = new Set(staleNumbers(block));
  const future = futureNumbers(block);
  if (stale.size + future.length === 0) return block;
  const numbers = new Map(
    block.sequenceNumberForAllocation.entries().filter(([ordinal]) => !stale.has(ordinal)),
  );
  const largest = [...numbers.values()].reduce((a, b) => (a > b ? a : b), block.sequenceNumber - 1n);
  return { ...block, sequenceNumber: largest + 1n, sequenceNumberForAllocation: numbers };
}
