/** What is wrong with one block, by itself. Pure. */

import { type Cidr, containsCidr, formatCidr } from '../../base/cidr.ts';
import { formatIpAddress } from '../../base/ip-address.ts';
import { parseRfc3339 } from '../../base/time.ts';
import { nodeOfAffinity } from '../affinity.ts';
import { type AllocationBlock, addressOf } from '../allocation-block.ts';
import { isEmpty } from '../block/usage.ts';
import type { Damage, Finding } from './damage.ts';
import type { AuditScope } from './scope.ts';
import { futureNumbers, lostOrdinals, staleNumbers, unusedAttributes } from './tidy-block.ts';

type Problem = readonly [damage: Damage, text: string, isRepairable: boolean];

/** Findings about the block alone, its pool and its owner. */
export function auditBlock(block: AllocationBlock, key: string, scope: AuditScope): readonly Finding[] {
  const nodeName = nodeOfAffinity(block.affinity);
  const text = formatCidr(block.cidr);
  const repair = { record: 'block', cidr: block.cidr, nodeName } as const;
  return [
    ...placeProblems(block.cidr, scope),
    ...ownerProblems(block, nodeName, scope),
    ...contentProblems(block, scope),
  ].map(([damage, problem, isRepairable]) => ({
    damage,
    key,
    text: `block ${text} ${problem}`,
    repair: isRepairable ? repair : undefined,
  }));
}

function placeProblems(cidr: Cidr, { pools }: AuditScope): readonly Problem[] {
  const home = pools.find((pool) => containsCidr(pool.cidr, cidr));
  if (home === undefined) return [['block-outside-pools', 'is in no pool', false]];
  if (home.blockSize === cidr.prefixLength) return [];
  return [['wrong-block-size', `is in pool ${home.name}, whose blocks are /${home.blockSize}`, false]];
}

function ownerProblems(
  block: AllocationBlock,
  nodeName: string | undefined,
  { nodeNames }: AuditScope,
): readonly Problem[] {
  const empty = isEmpty(block);
  const what = empty ? 'and is empty' : 'and has addresses in use';
  if (block.affinity === undefined) return [['block-without-owner', `has no owner ${what}`, empty]];
  if (nodeName === undefined || nodeNames.has(nodeName)) return [];
  return [['block-of-unknown-node', `belongs to node ${nodeName}, which does not exist, ${what}`, empty]];
}

function contentProblems(block: AllocationBlock, { nowNs }: AuditScope): readonly Problem[] {
  const show = (ordinals: readonly number[]) =>
    ordinals.map((ordinal) => formatIpAddress(addressOf(block, ordinal))).join(', ');
  const lost = lostOrdinals(block);
  const unused = unusedAttributes(block);
  const stale = staleNumbers(block);
  const future = futureNumbers(block);
  const released = block.attributes.flatMap(({ releasedAt }) => releasedAt ?? []);
  const unborn = released.filter((time) => (parseRfc3339(time) ?? 0n) > nowNs + CLOCK_SKEW_NS);
  return [
    ...when(lost, 'lost-address', `has neither allocated nor queued ${show(lost)}`, true),
    ...when(unused, 'unused-attribute', `has ${unused} attributes that no address refers to`, true),
    ...when(stale, 'wrong-sequence-number', `numbers ${show(stale)}, which is free`, true),
    ...when(future, 'wrong-sequence-number', `has a number of the future for ${show(future)}`, true),
    ...when(unborn, 'released-in-future', `has an address that is released at ${unborn[0]}`, false),
  ];
}

/** Clocks of nodes differ by as much without harm. */
const CLOCK_SKEW_NS = 60_000_000_000n;

function when(
  found: readonly unknown[] | number,
  damage: Damage,
  text: string,
  isRepairable: boolean,
): readonly Problem[] {
  return (typeof found === 'number' ? found : found.length) > 0 ? [[damage, text, isRepairable]] : [];
}
