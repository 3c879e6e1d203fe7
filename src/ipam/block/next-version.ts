/** The step from the block that was read to the block that is stored. Pure. */

import type { AllocationBlock } from '../allocation-block.ts';

/**
 * The block as it is written: its sequence number grows by one per stored update, however many ordinals
 * changed. Done once, after every other change, also for a block that is created with addresses inside.
 */
export function nextVersion(block: AllocationBlock): AllocationBlock {
  return { ...block, sequenceNumber: BigInt.asUintN(64, block.sequenceNumber + 1n) };
}
