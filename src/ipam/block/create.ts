/** A block that was not there before. Pure. */

import { addressCount, type Cidr } from '../../base/cidr.ts';
import { formatRfc3339 } from '../../base/time.ts';
import type { AllocationBlock } from '../allocation-block.ts';

/**
 * An empty block of an affinity (`host:<node>`), as Calico creates it. Its sequence number starts at the
 * nanoseconds of now, so that a block deleted and made again never repeats one.
 */
export function createBlock(cidr: Cidr, affinity: string, nowNs: bigint): AllocationBlock {
  const size = Number(addressCount(cidr));
  return {
    cidr,
    affinity,
    affinityClaimTime: formatRfc3339(nowNs),
    allocations: new Array<number | null>(size).fill(null),
    unallocated: Array.from({ length: size }, (_, ordinal) => ordinal),
    attributes: [],
    sequenceNumber: nowNs,
    sequenceNumberForAllocation: new Map(),
    unknownFields: {},
  };
}
