/**
 * Decides what must be written to give back addresses that were found to be nobody's. Pure. Only what is still as it was
 * when it was looked at goes: the same handle, taken at the same sequence number and time.
 */

import type { Cidr } from '../base/cidr.ts';
import type { IpAddress } from '../base/ip-address.ts';
import { type AllocationBlock, addressOf } from './allocation-block.ts';
import type { MustLook } from './assignment/address-search.ts';
import { attributeOf } from './block/attribute.ts';
import { nextVersion } from './block/next-version.ts';
import { releaseOrdinals } from './block/release.ts';
import type { IpamFacts } from './facts.ts';
import { cleanHandleId } from './handle-id.ts';
import { findHoldings, handleChanges } from './holdings.ts';
import { isRead, loadBlock, type NamedCidr, nameCidr, uniquePlaces } from './known-blocks.ts';
import { lookAtBlocks } from './look.ts';
import { whatGoesWithEmptyBlock } from './plan-release.ts';
import type { IpamChange } from './records.ts';

/** One ordinal in use, as it was seen. */
export interface SeenAllocation {
  readonly block: Cidr;
  readonly ordinal: number;
  /** In its clean form, see {@link cleanHandleId}. */
  readonly handleId: string;
  /** `undefined` in blocks of 2021, which number no allocations. */
  readonly sequenceNumber: bigint | undefined;
  /** `node`, `timestamp`, `pod`, … of the attribute. */
  readonly owner: Readonly<Record<string, string>>;
}

export interface CollectionRequest {
  readonly nodeName: string;
  /** Wall clock, nanoseconds since the epoch. */
  readonly nowNs: bigint;
  readonly allocations: readonly SeenAllocation[];
}

export type CollectionPlan =
  | {
      readonly outcome: 'collected';
      /** To be made all together or not at all; empty when everything is gone already. */
      readonly changes: readonly IpamChange[];
      readonly released: readonly IpAddress[];
    }
  | MustLook;

/** The handles of all allocations, or that there are none, must have been read. */
export function planCollection(request: CollectionRequest, facts: IpamFacts): CollectionPlan {
  const places = uniquePlaces(request.allocations.map(({ block }) => nameCidr(block)));
  const handleIds = [...new Set(request.allocations.map(({ handleId }) => handleId))];
  const holdings = handleIds.map((handleId) => findHoldings(handleId, facts, request.nowNs, places));
  const named = uniquePlaces([...places, ...holdings.flatMap(({ unread }) => unread)]);
  const unread = named.filter((place) => !isRead(facts, place));
  if (unread.length > 0) return { outcome: 'look', look: lookAtBlocks(unread) };
  const blocks = places.map((place) => collectInBlock(request, facts, place));
  const changes = blocks.flatMap((block) => block.changes);
  return {
    outcome: 'collected',
    changes: [...changes, ...holdings.flatMap((one) => handleChanges(one, changes))],
    released: blocks.flatMap((block) => block.released),
  };
}

/**
 * Every ordinal that one owner holds under a handle, as it is now: not those in cooldown, nor those that two owners have a
 * say in, as a virtual machine that is on the move between nodes.
 */
export function allocationsOf(block: AllocationBlock): readonly SeenAllocation[] {
  return block.allocations.flatMap((_, ordinal) => allocationAt(block, ordinal) ?? []);
}

/** The address of an allocation. */
export function addressOfAllocation({ block, ordinal }: SeenAllocation): IpAddress {
  return { family: block.family, value: block.base + BigInt(ordinal) };
}

function allocationAt(block: AllocationBlock, ordinal: number): SeenAllocation | undefined {
  const attribute = attributeOf(block, ordinal);
  if (attribute?.handleId === undefined || attribute.releasedAt !== undefined) return undefined;
  if (attribute.alternateOwner !== undefined) return undefined;
  return {
    block: block.cidr,
    ordinal,
    handleId: cleanHandleId(attribute.handleId),
    sequenceNumber: block.sequenceNumberForAllocation.get(ordinal),
    owner: attribute.activeOwner ?? {},
  };
}

function collectInBlock(
  request: CollectionRequest,
  facts: IpamFacts,
  place: NamedCidr,
): { readonly changes: readonly IpamChange[]; readonly released: readonly IpAddress[] } {
  const stored = loadBlock(facts, place, request.nowNs);
  if (stored === undefined) return { changes: [], released: [] };
  const seen = request.allocations.filter(({ block }) => nameCidr(block).text === place.text);
  const unchanged = seen.filter((allocation) => isAsSeen(stored.value, allocation));
  const { block, released } = releaseOrdinals(
    stored.value,
    unchanged,
    request.nowNs,
    facts.config.cooldownSeconds,
  );
  if (released.length === 0) return { changes: [], released: [] };
  const gone = whatGoesWithEmptyBlock(request, facts, block);
  const to = gone === undefined ? nextVersion(block) : undefined;
  return {
    changes: [{ record: 'block', cidr: block.cidr, from: stored.revision, to }, ...(gone ?? [])],
    released: released.map((ordinal) => addressOf(block, ordinal)),
  };
}

function isAsSeen(block: AllocationBlock, seen: SeenAllocation): boolean {
  const now = allocationAt(block, seen.ordinal);
  return (
    now !== undefined &&
    now.handleId === seen.handleId &&
    now.sequenceNumber === seen.sequenceNumber &&
    now.owner.timestamp === seen.owner.timestamp
  );
}
