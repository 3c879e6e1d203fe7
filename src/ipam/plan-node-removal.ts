/**
 * Decides what must be written about one block when a node is gone for good: its addresses there are given back, and the
 * node lets go of the block. Addresses of other nodes stay. Pure.
 */

import type { Cidr } from '../base/cidr.ts';
import type { IpAddress } from '../base/ip-address.ts';
import { ABSENT, type Stored } from '../base/revision.ts';
import { type AllocationBlock, hostAffinity } from './allocation-block.ts';
import type { MustLook } from './assignment/address-search.ts';
import { nextVersion } from './block/next-version.ts';
import { isEmpty } from './block/usage.ts';
import type { IpamFacts } from './facts.ts';
import { isRead, loadBlock, type NamedCidr, nameCidr } from './known-blocks.ts';
import { lookAtBlocks, lookAtHandles } from './look.ts';
import { allocationsOf, planCollection, type SeenAllocation } from './plan-collection.ts';
import type { IpamChange } from './records.ts';

export interface NodeRemovalRequest {
  readonly nodeName: string;
  readonly block: Cidr;
  /** Wall clock, nanoseconds since the epoch. */
  readonly nowNs: bigint;
  /** Whether an address of the node is nobody's any more. */
  readonly isReleasable: (seen: SeenAllocation) => boolean;
  /** At most so many addresses at once; the rest with the next plan. */
  readonly maxAddresses: number;
}

/**
 * - `block`: it is deleted, with the node's affinity
 * - `affinity`: the block stays, and is not the node's any more
 * - `nothing`: the node keeps it, or it was not the node's
 */
export type LetGo = 'block' | 'affinity' | 'nothing';

export type NodeRemovalPlan =
  | {
      readonly outcome: 'planned';
      /** To be made all together or not at all; empty when nothing is to be done. */
      readonly changes: readonly IpamChange[];
      readonly released: readonly SeenAllocation[];
      readonly addresses: readonly IpAddress[];
      readonly letGo: LetGo;
      /** Addresses of the node that stay, and with them its affinity. */
      readonly kept: number;
      /** More is to be released: plan again. */
      readonly isUnfinished: boolean;
    }
  | MustLook;

/** The facts are the removed node's: its affinities. */
export function planNodeRemoval(request: NodeRemovalRequest, facts: IpamFacts): NodeRemovalPlan {
  const { nodeName, nowNs, maxAddresses } = request;
  const place = nameCidr(request.block);
  if (!isRead(facts, place)) return { outcome: 'look', look: lookAtBlocks([place]) };
  const stored = loadBlock(facts, place, nowNs);
  if (stored === undefined) return planned({ changes: affinityAlone(nodeName, place, facts) });
  const releasable = allocationsOf(stored.value).filter(
    (seen) => seen.owner.node === nodeName && request.isReleasable(seen),
  );
  const released = releasable.slice(0, maxAddresses);
  const handles = [...new Set(released.map(({ handleId }) => handleId))];
  const unknown = handles.filter((handleId) => !facts.handles.has(handleId));
  if (unknown.length > 0) return { outcome: 'look', look: lookAtHandles(unknown) };
  const collection = planCollection({ nodeName, nowNs, allocations: released }, facts);
  if (collection.outcome === 'look') return collection;
  const isUnfinished = released.length < releasable.length;
  const step = isUnfinished
    ? { changes: collection.changes }
    : letGo(request, facts, place, stored, collection.changes);
  return planned({ ...step, released, addresses: collection.released, isUnfinished });
}

type Planned = Exclude<NodeRemovalPlan, MustLook>;

function planned(of: Partial<Planned> & Pick<Planned, 'changes'>): Planned {
  const letGo = of.letGo ?? (of.changes.some(({ record }) => record === 'affinity') ? 'affinity' : 'nothing');
  return {
    outcome: 'planned',
    ...{ released: [], addresses: [], kept: 0, isUnfinished: false },
    ...of,
    letGo,
  };
}

/** The block is as the collection leaves it: `undefined` when that deletes it. */
function letGo(
  { nodeName }: NodeRemovalRequest,
  facts: IpamFacts,
  place: NamedCidr,
  stored: Stored<AllocationBlock>,
  changes: readonly IpamChange[],
): Pick<Planned, 'changes' | 'letGo' | 'kept'> {
  const { text } = place;
  const change = changes.find((one) => one.record === 'block' && nameCidr(one.cidr).text === text);
  const others = changes.filter((one) => one !== change && one.record !== 'affinity');
  const after = change?.record !== 'block' || change.to === 'unchanged' ? stored.value : change.to;
  const block = { record: 'block', cidr: place.cidr, from: stored.revision } as const;
  const affinity = affinityRemoval(nodeName, place, facts);
  const withAffinity = (to: AllocationBlock | undefined | 'unchanged', what: LetGo) => ({
    changes: [...others, { ...block, to }, ...affinity],
    letGo: what,
    kept: 0,
  });
  if (after === undefined) return withAffinity(undefined, 'block');
  const kept = holdings(after, nodeName);
  if (after.affinity !== hostAffinity(nodeName)) {
    // Its claim to a block of another is of no use to anybody.
    if (affinity.length === 0) return { changes, letGo: 'nothing', kept };
    return { ...withAffinity(change === undefined ? 'unchanged' : after, 'affinity'), kept };
  }
  if (isEmpty(after)) return withAffinity(undefined, 'block');
  // What cools down is nobody's: the block goes when that is over.
  if (kept > 0 || !isHeld(after)) return { changes, letGo: 'nothing', kept };
  const free = { ...after, affinity: undefined, affinityClaimTime: undefined };
  return withAffinity(change === undefined ? nextVersion(free) : free, 'affinity');
}

/** Without a block, the claim to it goes by itself. */
function affinityAlone(nodeName: string, place: NamedCidr, facts: IpamFacts): readonly IpamChange[] {
  const affinity = affinityRemoval(nodeName, place, facts);
  if (affinity.length === 0) return [];
  return [{ record: 'block', cidr: place.cidr, from: ABSENT, to: 'unchanged' }, ...affinity];
}

function affinityRemoval(
  nodeName: string,
  { cidr, text }: NamedCidr,
  facts: IpamFacts,
): readonly IpamChange[] {
  return facts.affinities
    .filter((affinity) => nameCidr(affinity.cidr).text === text)
    .map(({ revision }) => ({ record: 'affinity', nodeName, cidr, from: revision, to: undefined }));
}

/** Addresses that anybody holds for the node: moving ones, too. */
function holdings({ allocations, attributes }: AllocationBlock, nodeName: string): number {
  return allocations.filter((index) => {
    const attribute = index === null ? undefined : attributes[index];
    return attribute?.activeOwner?.node === nodeName || attribute?.alternateOwner?.node === nodeName;
  }).length;
}

function isHeld({ allocations, attributes }: AllocationBlock): boolean {
  return allocations.some((index) => index !== null && attributes[index]?.releasedAt === undefined);
}
