/** What the facts say about one block. Pure. */

import { type Cidr, cidrOf, containsAddress, formatCidr } from '../base/cidr.ts';
import type { IpAddress } from '../base/ip-address.ts';
import type { Stored } from '../base/revision.ts';
import type { AllocationBlock } from './allocation-block.ts';
import { collectGarbage } from './block/collect.ts';
import type { IpamFacts } from './facts.ts';
import type { IpPool } from './records.ts';

/** A CIDR together with its text, which is its key in the facts. */
export interface NamedCidr {
  readonly cidr: Cidr;
  readonly text: string;
}

/** `unknown`: neither the block nor a listing has been read. */
export type Existence = 'present' | 'absent' | 'unknown';

/** The CIDR under its name. */
export function nameCidr(cidr: Cidr): NamedCidr {
  return { cidr, text: formatCidr(cidr) };
}

/** The block an address lies in, as its pool cuts them; `undefined` when it is in no pool. */
export function homeOf(pools: readonly IpPool[], address: IpAddress): NamedCidr | undefined {
  const pool = pools.find(({ cidr }) => containsAddress(cidr, address));
  return pool && nameCidr(cidrOf(address, pool.blockSize));
}

/** Each CIDR once, in the order of its first appearance. */
export function uniquePlaces(places: readonly NamedCidr[]): readonly NamedCidr[] {
  return [...new Map(places.map((place) => [place.text, place])).values()];
}

/** Whether the block's value, or its absence, has been read. */
export function isRead(facts: IpamFacts, { text }: NamedCidr): boolean {
  return facts.blocks.has(text);
}

/** What was read of the block itself is newer than any listing. */
export function existenceOf(facts: IpamFacts, { cidr, text }: NamedCidr): Existence {
  if (facts.blocks.has(text)) return facts.blocks.get(text) === undefined ? 'absent' : 'present';
  const listing = facts.blockListings.get(cidr.family);
  if (listing === undefined) return 'unknown';
  return listing.has(text) ? 'present' : 'absent';
}

/** The block as it may be used now: expired cooldowns are over. `undefined` when absent or not read. */
export function loadBlock(
  facts: IpamFacts,
  { text }: NamedCidr,
  nowNs: bigint,
): Stored<AllocationBlock> | undefined {
  const stored = facts.blocks.get(text);
  if (stored === undefined) return undefined;
  return { ...stored, value: collectGarbage(stored.value, nowNs, facts.config.cooldownSeconds) };
}
