/** Marks ordinals of a block as taken. Pure. */

import type { AllocationBlock, Attribute } from '../allocation-block.ts';
import { withAttribute } from './attribute.ts';

/** All ordinals share the attribute, and remember the sequence number of the block they were taken from. */
export function allocateOrdinals(
  block: AllocationBlock,
  ordinals: readonly number[],
  attribute: Attribute,
): AllocationBlock {
  const taken = new Set(ordinals);
  const { attributes, index } = withAttribute(block.attributes, attribute);
  return {
    ...block,
    attributes,
    allocations: block.allocations.map((current, ordinal) => (taken.has(ordinal) ? index : current)),
    unallocated: block.unallocated.filter((ordinal) => !taken.has(ordinal)),
    sequenceNumberForAllocation: new Map([
      ...block.sequenceNumberForAllocation,
      ...ordinals.map((ordinal) => [ordinal, block.sequenceNumber] as const),
    ]),
  };
}
