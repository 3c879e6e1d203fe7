/** Gives ordinals of a block back (Calico's ReleaseByHandle and ReleaseIPs, the part inside a block). Pure. */

import { CalicoError } from '../../base/calico-error.ts';
import { formatIpAddress } from '../../base/ip-address.ts';
import { type AllocationBlock, addressOf } from '../allocation-block.ts';
import { cleanHandleId } from '../handle-id.ts';
import { attributeOf, releasedAttribute } from './attribute.ts';
import { collectGarbage } from './collect.ts';
import { ordinalsOfHandle } from './usage.ts';

/** The block after a release. */
export interface Release {
  readonly block: AllocationBlock;
  /** Ordinals given back, ascending. */
  readonly released: readonly number[];
}

/** One ordinal to give back, only if handle and sequence number are still these when they are given. */
export interface OrdinalRelease {
  readonly ordinal: number;
  readonly handleId?: string | undefined;
  readonly sequenceNumber?: bigint | undefined;
}

/** Everything the handle holds, except the ordinals to keep. The same block when that is nothing. */
export function releaseByHandle(
  block: AllocationBlock,
  handleId: string,
  nowNs: bigint,
  cooldownSeconds: number,
  keep: ReadonlySet<number> = new Set(),
): Release {
  const released = ordinalsOfHandle(block, handleId).filter((ordinal) => !keep.has(ordinal));
  if (released.length === 0) return { block, released };
  return { block: collectGarbage(retire(block, released, nowNs), nowNs, cooldownSeconds), released };
}

/**
 * The ordinals named, without those that are free or in cooldown already. `conflict`, and nothing released,
 * when one of them has been taken again since the caller looked.
 */
export function releaseOrdinals(
  block: AllocationBlock,
  releases: readonly OrdinalRelease[],
  nowNs: bigint,
  cooldownSeconds: number,
): Release {
  const released = new Set<number>();
  for (const release of releases) if (isHeldAsStated(block, release)) released.add(release.ordinal);
  const ordinals = [...released].sort((a, b) => a - b);
  if (ordinals.length === 0) return { block, released: ordinals };
  const stamped = stamp(retire(block, ordinals, nowNs), ordinals);
  return { block: collectGarbage(stamped, nowNs, cooldownSeconds), released: ordinals };
}

/** From here on the ordinals belong to nobody and wait out their cooldown. */
function retire(block: AllocationBlock, ordinals: readonly number[], nowNs: bigint): AllocationBlock {
  const retired = new Set(ordinals);
  const index = block.attributes.length;
  return {
    ...block,
    attributes: [...block.attributes, releasedAttribute(nowNs)],
    allocations: block.allocations.map((current, ordinal) => (retired.has(ordinal) ? index : current)),
  };
}

/** Release by address marks the ordinals with the block's number; release by handle leaves them as they are. */
function stamp(block: AllocationBlock, ordinals: readonly number[]): AllocationBlock {
  const numbers = new Map(block.sequenceNumberForAllocation);
  for (const ordinal of ordinals) numbers.set(ordinal, block.sequenceNumber);
  return { ...block, sequenceNumberForAllocation: numbers };
}

function isHeldAsStated(
  block: AllocationBlock,
  { ordinal, handleId, sequenceNumber }: OrdinalRelease,
): boolean {
  const stored = block.sequenceNumberForAllocation.get(ordinal) ?? 0n;
  if (sequenceNumber !== undefined && sequenceNumber !== stored) {
    throw changed(block, ordinal, `sequence number (${sequenceNumber}) does not match (${stored})`);
  }
  const attribute = attributeOf(block, ordinal);
  if (attribute === undefined || attribute.releasedAt !== undefined) return false;
  const holder = cleanHandleId(attribute.handleId ?? '');
  if (handleId !== undefined && cleanHandleId(handleId) !== holder) {
    throw changed(block, ordinal, `handle (${handleId}) does not match (${holder})`);
  }
  return true;
}

function changed(block: AllocationBlock, ordinal: number, mismatch: string): CalicoError {
  return new CalicoError('conflict', `the given ${mismatch} when attempting to release IP`, {
    details: `${formatIpAddress(addressOf(block, ordinal))} has been assigned again since it was looked at; nothing was released`,
  });
}
