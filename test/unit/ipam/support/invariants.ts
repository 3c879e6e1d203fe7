/** What must hold of stored records at every instant, as lists of violations. */

import { containsCidr, formatCidr } from '../../../../src/base/cidr.ts';
import { NS_PER_SECOND, parseRfc3339 } from '../../../../src/base/time.ts';
import { nodeOfAffinity } from '../../../../src/ipam/affinity.ts';
import type { AllocationBlock } from '../../../../src/ipam/allocation-block.ts';
import { attributeOf } from '../../../../src/ipam/block/attribute.ts';
import { isEmpty, ordinalsOfHandle } from '../../../../src/ipam/block/usage.ts';
import { affinityId } from '../../../../src/ipam/facts.ts';
import { reservedOrdinals } from '../../../../src/ipam/reservations.ts';
import type { Cluster } from './cluster.ts';

/** Of one stored block, by itself. */
export function blockViolations(block: AllocationBlock): readonly string[] {
  const size = block.allocations.length;
  const used = block.allocations.flatMap((index, ordinal) => (index === null ? [] : [ordinal]));
  const free = new Set(block.unallocated);
  const references = new Set(block.allocations.filter((index) => index !== null));
  const problems: readonly (readonly [boolean, string])[] = [
    [size !== 1 << ((block.cidr.family === 4 ? 32 : 128) - block.cidr.prefixLength), 'wrong size'],
    [[...references].some((index) => index >= block.attributes.length), 'an index leads nowhere'],
    [references.size !== block.attributes.length, 'an attribute is not referenced'],
    [free.size !== block.unallocated.length, 'an ordinal is queued twice'],
    [used.some((ordinal) => free.has(ordinal)), 'an ordinal is both used and free'],
    [used.length + free.size !== size, 'an ordinal is neither used nor free'],
    [
      [...block.sequenceNumberForAllocation.keys()].some((ordinal) => free.has(ordinal)),
      'a free ordinal has a sequence number',
    ],
    [
      [...block.sequenceNumberForAllocation.values()].some((number) => number >= block.sequenceNumber),
      'an ordinal has a sequence number of the future',
    ],
  ];
  return problems.filter(([wrong]) => wrong).map(([, text]) => `${formatCidr(block.cidr)}: ${text}`);
}

/** Of all records together. Handles and blocks change in one transaction, so their counts are equal always. */
export function clusterViolations(of: Cluster): readonly string[] {
  return [
    ...[...of.blocks.values()].flatMap(({ value }) => blockViolations(value)),
    ...[...of.blocks].flatMap(([text, { value }]) => placeViolations(of, text, value)),
    ...[...of.blocks].flatMap(([text, { value }]) => affinityViolations(of, text, value)),
    ...handleViolations(of),
    ...repeatedAssignments(of),
    ...ruleViolations(of),
  ];
}

function placeViolations(of: Cluster, text: string, block: AllocationBlock): readonly string[] {
  const home = of.pools.find(({ cidr }) => containsCidr(cidr, block.cidr));
  const placed = text === formatCidr(block.cidr) && home?.blockSize === block.cidr.prefixLength;
  return placed ? [] : [`${text}: not a block of a pool`];
}

function affinityViolations(of: Cluster, text: string, block: AllocationBlock): readonly string[] {
  const owner = nodeOfAffinity(block.affinity);
  if (block.affinity === undefined && isEmpty(block)) return [`${text}: empty and nobody's`];
  const record = owner === undefined ? undefined : of.affinities.get(affinityId(owner, text));
  if (owner !== undefined && record === undefined) return [`${text}: ${owner} has no affinity record`];
  const strangers = [...of.affinities]
    .filter(([id, { value }]) => id.endsWith(` ${text}`) && value.state === 'confirmed')
    .filter(([id]) => owner === undefined || id !== affinityId(owner, text));
  return strangers.map(([id]) => `${text}: stale confirmed affinity ${id}`);
}

function handleViolations(of: Cluster): readonly string[] {
  const inBlocks = new Map<string, number>();
  for (const [text, { value }] of of.blocks) {
    for (const { handleId } of value.attributes) {
      if (handleId === undefined) continue;
      inBlocks.set(`${handleId} in ${text}`, ordinalsOfHandle(value, handleId).length);
    }
  }
  const inHandles = new Map<string, number>(
    [...of.handles].flatMap(([handleId, { value }]) =>
      Array.from(value.addressCounts, ([text, count]) => [`${handleId} in ${text}`, count] as const),
    ),
  );
  return [...new Set([...inBlocks.keys(), ...inHandles.keys()])]
    .filter((name) => inBlocks.get(name) !== inHandles.get(name))
    .map((name) => `${name}: ${inBlocks.get(name)} in the block, ${inHandles.get(name)} in the handle`);
}

/** Strict affinity, the block limit and reservations, of addresses that were assigned automatically. */
function ruleViolations(of: Cluster): readonly string[] {
  const { strictAffinity, maxBlocksPerHost } = of.config;
  const owned = Map.groupBy(of.blocks.values(), ({ value }) => `${value.affinity} ${value.cidr.family}`);
  const strangers = [...of.blocks.values()].flatMap(({ value }) => {
    const nodes = value.attributes.flatMap(({ activeOwner }) => activeOwner?.node ?? []);
    return nodes.filter((name) => value.affinity !== undefined && value.affinity !== `host:${name}`);
  });
  const reserved = [...of.blocks.values()].flatMap(({ value }) => {
    const ordinals = reservedOrdinals(value.cidr, of.reservations);
    return value.allocations.filter((index, ordinal) => index !== null && ordinals.has(ordinal));
  });
  return [
    ...(strictAffinity ? strangers.map((name) => `${name} borrows under strict affinity`) : []),
    ...[...owned]
      .filter(
        ([owner, blocks]) =>
          owner.startsWith('host:') && maxBlocksPerHost > 0 && blocks.length > maxBlocksPerHost,
      )
      .map(([owner]) => `${owner} owns too many blocks`),
    ...reserved.map((index) => `a reserved address was assigned: ${index}`),
  ];
}

/** A repeated ADD is given what the first one got. */
function repeatedAssignments(of: Cluster): readonly string[] {
  return [...of.handles].flatMap(([handleId, { value }]) => {
    const perFamily = Map.groupBy(value.addressCounts, ([text]) => text.includes(':'));
    return [...perFamily.values()]
      .filter((counts) => counts.reduce((sum, [, count]) => sum + count, 0) > 1)
      .map((counts) => `${handleId} has several addresses of a family: ${counts.join(' ')}`);
  });
}

/** From one stored state to the next: the numbers of a block only grow, also when it is made again. */
export function sequenceViolations(
  last: ReadonlyMap<string, bigint>,
  before: Cluster,
  after: Cluster,
): readonly string[] {
  return [...after.blocks].flatMap(([text, { value, revision }]) => {
    if (before.blocks.get(text)?.revision === revision) return [];
    const number = last.get(text);
    return number === undefined || value.sequenceNumber > number
      ? []
      : [`${text}: ${value.sequenceNumber} does not follow ${number}`];
  });
}

/** From one stored state to the next: nobody gets an address that is still cooling down. */
export function cooldownViolations(before: Cluster, after: Cluster, nowNs: bigint): readonly string[] {
  const earliestNs = nowNs - BigInt(after.config.cooldownSeconds) * NS_PER_SECOND;
  return [...after.blocks].flatMap(([text, { value }]) => {
    const old = before.blocks.get(text)?.value;
    return value.allocations.flatMap((_, ordinal) => {
      const releasedAt = old && attributeOf(old, ordinal)?.releasedAt;
      const taken = attributeOf(value, ordinal)?.handleId !== undefined;
      const early = releasedAt !== undefined && (parseRfc3339(releasedAt) ?? 0n) >= earliestNs;
      return taken && early ? [`${text}: ordinal ${ordinal} was released at ${releasedAt}`] : [];
    });
  });
}
