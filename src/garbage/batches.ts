/** How the leaks of a node are put together into transactions. Pure. */

import { formatCidr } from '../base/cidr.ts';
import { inPieces } from './in-pieces.ts';
import type { Leak } from './leak.ts';

/**
 * Records one transaction may touch: below the 128 that etcd allows, with room for those that every decision reads.
 */
const MAX_RECORDS = 96;
/** So many addresses of one container at once. Nobody has more than a few, unless something went wrong for long. */
const MAX_ALLOCATIONS = 32;

/** Those whose addresses are in the same block together: it is then written once. */
export function batches(leaks: readonly Leak[]): readonly (readonly Leak[])[] {
  const sorted = leaks.toSorted((a, b) => (firstBlock(a) < firstBlock(b) ? -1 : 1));
  return inPieces(sorted.flatMap(partsOf), recordsOf, MAX_RECORDS);
}

function firstBlock({ allocations: [first] }: Leak): string {
  return first === undefined ? '' : formatCidr(first.block);
}

/** The endpoint goes with the first part, since its interface must be gone before any address is free. */
function partsOf(leak: Leak): readonly Leak[] {
  const [first = [], ...others] = inPieces(leak.allocations, () => 1, MAX_ALLOCATIONS);
  return [
    { ...leak, allocations: first },
    ...others.map((allocations) => ({ ...leak, allocations, endpoints: [] })),
  ];
}

/** At most: a block each, the handle, and each endpoint with what is looked at beside it. */
function recordsOf({ allocations, endpoints }: Leak): number {
  return allocations.length + 2 + 2 * endpoints.length;
}
