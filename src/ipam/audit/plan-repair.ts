/**
 * Decides what must be written to put one thing right. Pure. Everything is looked at again: what has changed since it was
 * found to be wrong stays, whatever it is now, and the next audit will tell.
 */

import { formatCidr } from '../../base/cidr.ts';
import { formatIpAddress } from '../../base/ip-address.ts';
import { ABSENT } from '../../base/revision.ts';
import { confirmAffinity } from '../affinity.ts';
import { hostAffinity } from '../allocation-block.ts';
import type { MustLook } from '../assignment/address-search.ts';
import { attributeOf } from '../block/attribute.ts';
import { nextVersion } from '../block/next-version.ts';
import { releaseOrdinals } from '../block/release.ts';
import { isEmpty } from '../block/usage.ts';
import type { IpamFacts } from '../facts.ts';
import { findHoldings, handleChanges } from '../holdings.ts';
import { isRead, loadBlock, type NamedCidr, nameCidr, uniquePlaces } from '../known-blocks.ts';
import { lookAtBlocks } from '../look.ts';
import { addressOfAllocation, planCollection, type SeenAllocation } from '../plan-collection.ts';
import type { IpamChange } from '../records.ts';
import type { Repair } from './repair.ts';
import { tidyBlock } from './tidy-block.ts';

export type RepairPlan =
  /** `changes` are to be made all together or not at all. */
  | { readonly outcome: 'repaired'; readonly what: string; readonly changes: readonly IpamChange[] }
  | { readonly outcome: 'left alone'; readonly why: string }
  | MustLook;

type RepairOf<Record extends Repair['record']> = Extract<Repair, { readonly record: Record }>;

/** The node whose affinities the facts must hold; any other will do where there is none. */
export function nodeOfRepair(repair: Repair): string | undefined {
  return repair.record === 'address'
    ? repair.seen.owner.node
    : repair.record === 'handle'
      ? undefined
      : repair.nodeName;
}

/** Handles that must have been read. */
export function handlesOfRepair(repair: Repair): readonly string[] {
  if (repair.record === 'address') return repair.seen.handleId === '' ? [] : [repair.seen.handleId];
  return repair.record === 'handle' ? [repair.handleId] : [];
}

/** `nowNs`: wall clock, nanoseconds since the epoch. */
export function planRepair(repair: Repair, facts: IpamFacts, nowNs: bigint): RepairPlan {
  switch (repair.record) {
    case 'address':
      return planAddress(repair, facts, nowNs);
    case 'handle':
      return planHandle(repair, facts, nowNs);
    case 'affinity':
      return planAffinity(repair, facts, nowNs);
    case 'block':
      return planBlock(repair, facts, nowNs);
  }
}

function planAddress({ seen }: RepairOf<'address'>, facts: IpamFacts, nowNs: bigint): RepairPlan {
  if (seen.handleId === '') return planUnheld(seen, facts, nowNs);
  const nodeName = seen.owner.node ?? '';
  const plan = planCollection({ nodeName, nowNs, allocations: [seen] }, facts);
  if (plan.outcome === 'look') return plan;
  const address = formatIpAddress(addressOfAllocation(seen));
  if (plan.released.length === 0)
    return leave(`${address} is free by now, or has been assigned again since it was looked at`);
  return { outcome: 'repaired', what: `released ${address}`, changes: plan.changes };
}

/** Nothing but its block knows of it. */
function planUnheld(seen: SeenAllocation, facts: IpamFacts, nowNs: bigint): RepairPlan {
  const place = nameCidr(seen.block);
  if (!isRead(facts, place)) return { outcome: 'look', look: lookAtBlocks([place]) };
  const address = formatIpAddress(addressOfAllocation(seen));
  const stored = loadBlock(facts, place, nowNs);
  const attribute = stored && attributeOf(stored.value, seen.ordinal);
  if (
    stored === undefined ||
    attribute === undefined ||
    attribute.handleId !== undefined ||
    stored.value.sequenceNumberForAllocation.get(seen.ordinal) !== seen.sequenceNumber
  )
    return leave(`${address} is free by now, or has been assigned again since it was looked at`);
  const releases = [{ ordinal: seen.ordinal }];
  const { block } = releaseOrdinals(stored.value, releases, nowNs, facts.config.cooldownSeconds);
  const to = isEmpty(block) && block.affinity === undefined ? undefined : nextVersion(block);
  const change = { record: 'block', cidr: seen.block, from: stored.revision, to } as const;
  return { outcome: 'repaired', what: `released ${address}`, changes: [change] };
}

function planHandle(
  { handleId, revision, blocks }: RepairOf<'handle'>,
  facts: IpamFacts,
  nowNs: bigint,
): RepairPlan {
  const name = `handle ${JSON.stringify(handleId)}`;
  const also = blocks.map(nameCidr);
  const holdings = findHoldings(handleId, { ...facts, affinities: [] }, nowNs, also);
  if ((holdings.stored?.revision ?? ABSENT) !== revision)
    return leave(`${name} has changed since it was looked at`);
  const places = uniquePlaces([...holdings.named, ...also]);
  const unread = places.filter((place) => !isRead(facts, place));
  if (unread.length > 0) return { outcome: 'look', look: lookAtBlocks(unread) };
  const changes = handleChanges(holdings, []);
  const [change] = changes;
  if (change === undefined) return leave(`${name} counts what it holds by now`);
  return {
    outcome: 'repaired',
    what: `${change.to === undefined ? 'removed' : 'corrected'} ${name}`,
    changes: [...changes, ...places.map((place) => guardOf(place, facts))],
  };
}

function planAffinity(
  { nodeName, cidr, revision }: RepairOf<'affinity'>,
  facts: IpamFacts,
  nowNs: bigint,
): RepairPlan {
  const place = nameCidr(cidr);
  const name = `affinity of node ${nodeName} to ${place.text}`;
  const stored = affinityTo(facts, place);
  if ((stored?.revision ?? ABSENT) !== revision) return leave(`${name} has changed since it was looked at`);
  if (!isRead(facts, place)) return { outcome: 'look', look: lookAtBlocks([place]) };
  const isOurs = loadBlock(facts, place, nowNs)?.value.affinity === hostAffinity(nodeName);
  const to = isOurs ? confirmAffinity(stored?.value) : undefined;
  if (to === undefined ? stored === undefined : stored?.value.state === 'confirmed')
    return leave(`${name} is right by now`);
  return {
    outcome: 'repaired',
    what: `${to === undefined ? 'removed' : stored === undefined ? 'wrote' : 'confirmed'} ${name}`,
    changes: [{ record: 'affinity', nodeName, cidr, from: revision, to }, guardOf(place, facts)],
  };
}

function planBlock({ cidr, nodeName }: RepairOf<'block'>, facts: IpamFacts, nowNs: bigint): RepairPlan {
  const place = nameCidr(cidr);
  if (!isRead(facts, place)) return { outcome: 'look', look: lookAtBlocks([place]) };
  // As it is stored: what is left by what a cooldown frees is no damage.
  const stored = facts.blocks.get(place.text);
  if (stored === undefined) return leave(`block ${place.text} is gone by now`);
  const block = loadBlock(facts, place, nowNs)?.value ?? stored.value;
  const isNobodys = block.affinity === undefined;
  const isOfLostNode =
    nodeName !== undefined && block.affinity === hostAffinity(nodeName) && facts.node === undefined;
  if (isEmpty(block) && (isNobodys || isOfLostNode)) {
    return {
      outcome: 'repaired',
      what: `removed block ${place.text}`,
      changes: [
        { record: 'block', cidr, from: stored.revision, to: undefined },
        ...(isOfLostNode ? affinityRemoval(nodeName, place, facts) : []),
      ],
    };
  }
  const tidy = tidyBlock(stored.value);
  if (tidy === stored.value) return leave(`block ${place.text} is right by now, or still in use`);
  return {
    outcome: 'repaired',
    what: `corrected block ${place.text}`,
    changes: [{ record: 'block', cidr, from: stored.revision, to: nextVersion(tidy) }],
  };
}

function affinityRemoval(nodeName: string, place: NamedCidr, facts: IpamFacts): readonly IpamChange[] {
  const stored = affinityTo(facts, place);
  if (stored === undefined) return [];
  return [{ record: 'affinity', nodeName, cidr: place.cidr, from: stored.revision, to: undefined }];
}

function affinityTo({ affinities }: IpamFacts, { text }: NamedCidr) {
  return affinities.find(({ cidr }) => formatCidr(cidr) === text);
}

function guardOf({ cidr, text }: NamedCidr, facts: IpamFacts): IpamChange {
  return { record: 'block', cidr, from: facts.blocks.get(text)?.revision ?? ABSENT, to: 'unchanged' };
}

function leave(why: string): RepairPlan {
  return { outcome: 'left alone', why };
}
