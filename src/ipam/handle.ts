/** How many addresses one owner holds, per block. Every change returns a new handle. Pure. */

import { CalicoError } from '../base/calico-error.ts';
import type { Handle } from './records.ts';

const EMPTY_HANDLE: Handle = { addressCounts: new Map(), unknownFields: {} };

/** The handle with so many addresses more in the block; `undefined` is a handle that does not exist yet. */
export function incrementHandle(handle: Handle | undefined, cidrText: string, count: number): Handle {
  const before = handle ?? EMPTY_HANDLE;
  const addressCounts = new Map(before.addressCounts);
  addressCounts.set(cidrText, (addressCounts.get(cidrText) ?? 0) + count);
  return { ...before, addressCounts };
}

/**
 * The handle with so many addresses fewer in the block; `undefined` when it holds none at all any more and
 * its record goes. `corrupt` when it never held that many.
 */
export function decrementHandle(handle: Handle, cidrText: string, count: number): Handle | undefined {
  const left = (handle.addressCounts.get(cidrText) ?? 0) - count;
  if (left < 0) {
    throw new CalicoError(
      'corrupt',
      `cannot take ${count} addresses of block ${cidrText} from a handle that counts ${left + count}`,
    );
  }
  return withCounts(handle, new Map([...handle.addressCounts, [cidrText, left]]));
}

/** The handle with exactly these counts; blocks of count 0 are left out, and `undefined` is none at all. */
export function withCounts(
  handle: Handle | undefined,
  counts: ReadonlyMap<string, number>,
): Handle | undefined {
  const addressCounts = new Map(counts.entries().filter(([, count]) => count > 0));
  return addressCounts.size === 0 ? undefined : { ...(handle ?? EMPTY_HANDLE), addressCounts };
}

/** Whether both count the same addresses. */
export function sameCounts(a: Handle | undefined, b: Handle | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return (
    a.addressCounts.size === b.addressCounts.size &&
    a.addressCounts.entries().every(([cidr, count]) => b.addressCounts.get(cidr) === count)
  );
}
