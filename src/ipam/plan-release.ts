/**
 * Decides what must be written to give addresses back. Pure. One set of changes for all handles and blocks, so
 * that no crash leaves an address without its handle or a handle without its address.
 */

import type { IpAddress } from '../base/ip-address.ts';
import { ABSENT } from '../base/revision.ts';
import { type AllocationBlock, addressOf, hostAffinity, ordinalOf } from './allocation-block.ts';
import type { MustLook } from './assignment/address-search.ts';
import { giveBack } from './block/give-back.ts';
import { nextVersion } from './block/next-version.ts';
import { releaseByHandle } from './block/release.ts';
import { isEmpty } from './block/usage.ts';
import type { IpamFacts, TakenOver } from './facts.ts';
import { cleanHandleId } from './handle-id.ts';
import { findHoldings, type Holdings, handleChanges, recountHandle } from './holdings.ts';
import { homeOf, isRead, loadBlock, type NamedCidr, nameCidr, uniquePlaces } from './known-blocks.ts';
import { lookAtBlocks, lookAtHandles, mergeLooks } from './look.ts';
import { isDeselected } from './pool-choice.ts';
import type { IpamChange } from './records.ts';

/** Whose addresses are given back. */
export interface ReleaseRequest {
  /** All names the owner may be known by: `<network>.<containerID>` and the forms of older plugins. */
  readonly handleIds: readonly string[];
  readonly nodeName: string;
  /** Wall clock, nanoseconds since the epoch. */
  readonly nowNs: bigint;
  /** Addresses the owner's other records name: a borrowed one without a handle is found by them alone. */
  readonly known?: readonly IpAddress[];
  /** Addresses that stay with the handle: what it had before the ADD that is being undone. */
  readonly keep?: readonly IpAddress[];
  /** Addresses that go back to whom the ADD that is being undone took them over from. */
  readonly giveBack?: readonly TakenOver[];
}

/** What is given back and what must be written for it, or what must be read first. */
export type ReleasePlan =
  | {
      readonly outcome: 'released';
      /** To be made all together or not at all; empty when nothing is held. */
      readonly changes: readonly IpamChange[];
      readonly released: readonly IpAddress[];
    }
  | MustLook;

/** Everything the handles hold. A handle that nobody knows is released already. */
export function planRelease(request: ReleaseRequest, facts: IpamFacts): ReleasePlan {
  const known = blocksOfKnown(request, facts);
  const holdings = request.handleIds.map((handleId) => findHoldings(handleId, facts, request.nowNs, known));
  const unread = unreadPlaces(holdings, facts, known);
  const handles = receivers(request.giveBack ?? []).filter((handleId) => !facts.handles.has(handleId));
  if (unread.length + handles.length > 0) {
    return { outcome: 'look', look: mergeLooks([lookAtBlocks(unread), lookAtHandles(handles)]) };
  }
  const blocks = placesToRelease(holdings).map((place) => releaseInBlock(request, facts, place));
  const changes = blocks.flatMap((block) => block.changes);
  const ofHandles = holdings.flatMap((one) => handleChanges(one, changes));
  return {
    outcome: 'released',
    changes: [
      ...changes,
      ...ofHandles,
      ...(ofHandles.length === 0 ? [] : guardsOf(placesToRelease(holdings), facts, changes)),
      ...receivers(blocks.flatMap(({ givenBack }) => givenBack)).flatMap((handleId) =>
        recountHandle(handleId, facts, changes),
      ),
    ],
    released: blocks.flatMap((block) => block.released),
  };
}

/** Handles that addresses go back to, each once. What was held without a handle goes back without one. */
function receivers(takenOver: readonly TakenOver[]): readonly string[] {
  const handleIds = takenOver.flatMap(({ from }) => from.handleId ?? []);
  return [...new Set(handleIds.map(cleanHandleId))];
}

/**
 * The blocks the handles name, and those of the addresses the owner is known to have had. When there is no handle at all
 * its record may have been lost: then this node's own blocks are searched for its ID, too.
 */
function unreadPlaces(
  holdings: readonly Holdings[],
  facts: IpamFacts,
  known: readonly NamedCidr[],
): readonly NamedCidr[] {
  const hasHandle = holdings.some(({ stored }) => stored !== undefined);
  const likely = hasHandle
    ? holdings.flatMap(({ unread }) => unread)
    : facts.affinities.map(({ cidr }) => nameCidr(cidr));
  return uniquePlaces([...likely, ...known]).filter((place) => !isRead(facts, place));
}

function blocksOfKnown({ known = [] }: ReleaseRequest, { pools }: IpamFacts): readonly NamedCidr[] {
  return known.flatMap((address) => homeOf(pools, address) ?? []);
}

function placesToRelease(holdings: readonly Holdings[]): readonly NamedCidr[] {
  return uniquePlaces(holdings.flatMap(({ named, held }) => [...named, ...held]));
}

/**
 * A handle whose blocks hold nothing of it goes. That must still be so when it does: a failed ADD of another sandbox may
 * give addresses back to it meanwhile.
 */
function guardsOf(
  places: readonly NamedCidr[],
  facts: IpamFacts,
  changes: readonly IpamChange[],
): readonly IpamChange[] {
  const changed = new Set(changes.map((change) => change.record === 'block' && nameCidr(change.cidr).text));
  return places
    .filter(({ text }) => !changed.has(text))
    .map(({ cidr, text }) => {
      const from = facts.blocks.get(text)?.revision ?? ABSENT;
      return { record: 'block', cidr, from, to: 'unchanged' };
    });
}

interface BlockRelease {
  readonly changes: readonly IpamChange[];
  readonly released: readonly IpAddress[];
  readonly givenBack: readonly TakenOver[];
}

function releaseInBlock(request: ReleaseRequest, facts: IpamFacts, place: NamedCidr): BlockRelease {
  const stored = loadBlock(facts, place, request.nowNs);
  if (stored === undefined) return { changes: [], released: [], givenBack: [] };
  const { block: returned, givenBack } = giveBack(stored.value, request.handleIds, request.giveBack ?? []);
  const { block, released } = releaseAll(returned, request, facts.config.cooldownSeconds);
  const gone = whatGoesWithEmptyBlock(request, facts, block);
  if (block === stored.value && gone === undefined) return { changes: [], released, givenBack };
  const to = gone === undefined ? nextVersion(block) : undefined;
  return {
    changes: [{ record: 'block', cidr: block.cidr, from: stored.revision, to }, ...(gone ?? [])],
    released,
    givenBack,
  };
}

function releaseAll(
  stored: AllocationBlock,
  { handleIds, nowNs, keep = [] }: ReleaseRequest,
  cooldownSeconds: number,
): { readonly block: AllocationBlock; readonly released: readonly IpAddress[] } {
  const kept = new Set(keep.flatMap((address) => ordinalOf(stored, address) ?? []));
  let block = stored;
  const ordinals: number[] = [];
  for (const handleId of handleIds) {
    const release = releaseByHandle(block, handleId, nowNs, cooldownSeconds, kept);
    block = release.block;
    ordinals.push(...release.released);
  }
  return { block, released: ordinals.map((ordinal) => addressOf(stored, ordinal)) };
}

/**
 * The changes that go with deleting the block, or `undefined` when it stays. It goes when it is empty and
 * nobody claims it, or when this node does but the pool no longer selects it (Calico's ConsistentAffinity).
 */
export function whatGoesWithEmptyBlock(
  { nodeName }: Pick<ReleaseRequest, 'nodeName'>,
  facts: IpamFacts,
  block: AllocationBlock,
): readonly IpamChange[] | undefined {
  if (!isEmpty(block)) return undefined;
  if (block.affinity === undefined) return [];
  if (block.affinity !== hostAffinity(nodeName)) return undefined;
  if (!isDeselected(block.cidr, facts.pools, facts.node)) return undefined;
  const { text } = nameCidr(block.cidr);
  return facts.affinities
    .filter(({ cidr }) => nameCidr(cidr).text === text)
    .map(({ cidr, revision }) => ({ record: 'affinity', nodeName, cidr, from: revision, to: undefined }));
}
