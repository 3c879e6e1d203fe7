/**
 * The block: the CIDR unit of allocation and of compare-and-swap (spec: AllocationBlock). Pure types.
 *
 * ```
 *   cidr 192.168.166.128/26, 64 ordinals
 *   ordinal        0    1    2    3  …  63
 *   allocations  [ 0 , null, 1 , null …    ]   index into attributes, or null: free
 *   attributes   [ {handle A}, {handle B} ]
 *   unallocated  [ 3, 4, … 63, 1 ]             free ordinals: taken from the head, returned to the tail
 * ```
 */

import type { Cidr } from '../base/cidr.ts';
import type { IpAddress } from '../base/ip-address.ts';

/** Who owns an allocation. On the wire `handle_id`, `secondary`, `alternateOwnerAttrs`, `releasedAt`. */
export interface Attribute {
  readonly handleId: string | undefined;
  /** `node`, `timestamp`, for pods `pod` and `namespace`, …; kept whole, whatever its keys. */
  readonly activeOwner: Readonly<Record<string, string>> | undefined;
  readonly alternateOwner: Readonly<Record<string, string>> | undefined;
  /** When it was released, while its ordinals wait out the cooldown. RFC 3339, whole seconds. */
  readonly releasedAt: string | undefined;
  /** Fields this program does not know, written back as they came. */
  readonly unknownFields: Readonly<Record<string, unknown>>;
}

/** One block as it is stored. */
export interface AllocationBlock {
  readonly cidr: Cidr;
  /** `host:<node>` or `virtual:<owner>`; `undefined` when nobody claims the block. */
  readonly affinity: string | undefined;
  readonly affinityClaimTime: string | undefined;
  /** Per ordinal the index of its attribute, or `null` when free. */
  readonly allocations: readonly (number | null)[];
  /** Free ordinals in the order they will be handed out. */
  readonly unallocated: readonly number[];
  readonly attributes: readonly Attribute[];
  /** 64-bit; grows by one before every update, starts at nanoseconds since the epoch. */
  readonly sequenceNumber: bigint;
  /** The block's sequence number at the time each ordinal was taken. Absent in blocks of 2021. */
  readonly sequenceNumberForAllocation: ReadonlyMap<number, bigint>;
  readonly unknownFields: Readonly<Record<string, unknown>>;
}

/** The affinity text of a node. */
export function hostAffinity(nodeName: string): string {
  return `host:${nodeName}`;
}

/** Position of the address in the block, or `undefined` when it is not inside. */
export function ordinalOf(block: AllocationBlock, address: IpAddress): number | undefined {
  if (block.cidr.family !== address.family) return undefined;
  const offset = address.value - block.cidr.base;
  return offset >= 0n && offset < BigInt(block.allocations.length) ? Number(offset) : undefined;
}

/** The address at a position of the block. */
export function addressOf(block: AllocationBlock, ordinal: number): IpAddress {
  return { family: block.cidr.family, value: block.cidr.base + BigInt(ordinal) };
}
