/** Blocks to try operations on. */

import { parseCidr } from '../../../../src/base/cidr.ts';
import { formatIpAddress } from '../../../../src/base/ip-address.ts';
import type { AllocationBlock } from '../../../../src/ipam/allocation-block.ts';
import { autoAssign } from '../../../../src/ipam/block/auto-assign.ts';
import { createBlock } from '../../../../src/ipam/block/create.ts';
import { nextVersion } from '../../../../src/ipam/block/next-version.ts';
import { NOW_NS } from './cluster.ts';

export function emptyBlock(cidr = '10.9.0.0/29', affinity = 'host:node1'): AllocationBlock {
  return createBlock(parseCidr(cidr), affinity, NOW_NS);
}

/** One address for each handle, one stored update each, as ADDs make them. */
export function filledBlock(handleIds: readonly string[], block = emptyBlock()): AllocationBlock {
  return handleIds.reduce((now, handleId) => nextVersion(take(now, handleId).block), block);
}

export function take(
  block: AllocationBlock,
  handleId: string,
  count = 1,
  reservations: readonly string[] = [],
) {
  const taken = autoAssign(block, {
    count,
    handleId,
    owner: { node: 'node1' },
    reservations: reservations.map(parseCidr),
  });
  return { block: taken.block, addresses: taken.addresses.map(formatIpAddress) };
}

/** The shape of a block of 2021: no sequence numbers, and an attribute without anything in it. */
export function legacyBlock(): AllocationBlock {
  const empty = {
    activeOwner: undefined,
    alternateOwner: undefined,
    releasedAt: undefined,
    unknownFields: {},
  };
  return {
    ...emptyBlock(),
    affinityClaimTime: undefined,
    allocations: [0, 1, null, null, null, null, null, null],
    unallocated: [2, 3, 4, 5, 6, 7],
    attributes: [
      { ...empty, handleId: 'net1.old', activeOwner: { node: 'node1', pod: 'p', namespace: 'n' } },
      { ...empty, handleId: undefined },
    ],
    sequenceNumber: 0n,
  };
}
