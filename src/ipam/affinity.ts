/** What stands between a node and a block. Pure. */

import { formatRfc3339, NS_PER_SECOND, parseRfc3339 } from '../base/time.ts';
import { type AllocationBlock, type Attribute, hostAffinity } from './allocation-block.ts';
import { isEmpty } from './block/usage.ts';
import type { BlockAffinity } from './records.ts';

/**
 * - `ours`: the block says so itself
 * - `missing`: there is no such block
 * - `adoptable`: nobody claims the block, and nobody but this node has addresses in it
 * - `foreign`: another node's, or unclaimed with other nodes' addresses inside
 */
export type Standing = 'ours' | 'missing' | 'adoptable' | 'foreign';

/** An empty block is safe from other nodes for this long after it was claimed (Calico's minimum age). */
const MIN_RECLAIM_AGE_SECONDS = 60n;

/** How the node stands to the block; `undefined` is a block known not to exist. */
export function standingOf(block: AllocationBlock | undefined, nodeName: string): Standing {
  if (block === undefined) return 'missing';
  if (block.affinity === hostAffinity(nodeName)) return 'ours';
  return block.affinity === undefined && holdsOnlyOwn(block, nodeName) ? 'adoptable' : 'foreign';
}

/** The unclaimed block, claimed by the node. */
export function adoptBlock(block: AllocationBlock, nodeName: string, nowNs: bigint): AllocationBlock {
  return { ...block, affinity: hostAffinity(nodeName), affinityClaimTime: formatRfc3339(nowNs) };
}

/** The affinity in the only state in which its block is advertised and used. */
export function confirmAffinity(affinity: BlockAffinity | undefined): BlockAffinity {
  return { state: 'confirmed', unknownFields: affinity?.unknownFields ?? {} };
}

/** The node that claims the block; `undefined` when nobody does, or an owner that is no node. */
export function nodeOfAffinity(affinity: string | undefined): string | undefined {
  return affinity?.startsWith('host:') ? affinity.slice('host:'.length) : undefined;
}

/** Whether another node may take the block over: nobody uses it, and its owner had time to start. */
export function isReclaimable(block: AllocationBlock, nowNs: bigint): boolean {
  const claimedNs = parseRfc3339(block.affinityClaimTime ?? '') ?? 0n;
  return (
    nodeOfAffinity(block.affinity) !== undefined &&
    claimedNs + MIN_RECLAIM_AGE_SECONDS * NS_PER_SECOND < nowNs &&
    isEmpty(block)
  );
}

/** Attributes that nobody holds, because they cool down, do not count. */
function holdsOnlyOwn(block: AllocationBlock, nodeName: string): boolean {
  return block.attributes.every(
    (attribute) => attribute.releasedAt !== undefined || isOf(attribute, nodeName),
  );
}

function isOf(attribute: Attribute, nodeName: string): boolean {
  return attribute.activeOwner?.node === nodeName;
}
