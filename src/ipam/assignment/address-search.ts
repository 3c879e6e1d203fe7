/** The search for one automatic address of one family: what is asked, and what a step of it may answer. Pure. */

import type { IpNetwork } from '../../base/cidr.ts';
import { baseAddress, containsAddress } from '../../base/cidr.ts';
import type { IpFamily } from '../../base/ip-address.ts';
import { ABSENT, type Revision } from '../../base/revision.ts';
import { confirmAffinity } from '../affinity.ts';
import { type AllocationBlock, hostAffinity } from '../allocation-block.ts';
import { autoAssign } from '../block/auto-assign.ts';
import { nextVersion } from '../block/next-version.ts';
import type { AssignmentRequest, IpamFacts, Look, NodeAffinity } from '../facts.ts';
import { type NamedCidr, nameCidr } from '../known-blocks.ts';
import type { IpamChange, IpPool } from '../records.ts';

export interface AddressSearch {
  readonly request: AssignmentRequest;
  readonly facts: IpamFacts;
  readonly family: IpFamily;
  /** The pools to take from, in order. */
  readonly pools: readonly IpPool[];
}

export interface Taken {
  readonly outcome: 'taken';
  readonly network: IpNetwork;
  readonly changes: readonly IpamChange[];
  readonly notes: readonly string[];
}

export interface MustLook {
  readonly outcome: 'look';
  readonly look: Look;
}

/** `undefined`: nothing to be had this way, try the next. */
export type SearchAnswer = Taken | MustLook | undefined;

/** This node's affinities of the family, by whether their blocks lie in the pools of the search. */
export function ownAffinities(search: AddressSearch, inside: boolean): readonly NodeAffinity[] {
  return search.facts.affinities.filter(
    ({ cidr }) =>
      cidr.family === search.family &&
      search.pools.some((pool) => containsAddress(pool.cidr, baseAddress(cidr))) === inside,
  );
}

/** The next free address of the block, which is at the given revision now; `undefined` when it has none. */
export function takeFrom(
  search: AddressSearch,
  block: AllocationBlock,
  from: Revision,
  also: readonly IpamChange[] = [],
  notes: readonly string[] = [],
): Taken | undefined {
  const { request, facts } = search;
  const assigned = autoAssign(block, {
    count: 1,
    handleId: request.handleId,
    owner: request.owner,
    affinityCheck: facts.config.strictAffinity ? hostAffinity(request.nodeName) : undefined,
    reservations: facts.reservations,
  });
  const address = assigned.addresses[0];
  if (address === undefined) return undefined;
  return {
    outcome: 'taken',
    network: { address, prefixLength: block.cidr.prefixLength },
    changes: [{ record: 'block', cidr: block.cidr, from, to: nextVersion(assigned.block) }, ...also],
    notes,
  };
}

/** Makes this node's affinity to the block a confirmed one, whatever it is now, or insists that it stays so. */
export function confirmChange(search: AddressSearch, place: NamedCidr): IpamChange {
  const { nodeName } = search.request;
  const present = search.facts.affinities.find(({ cidr }) => nameCidr(cidr).text === place.text);
  return {
    record: 'affinity',
    nodeName,
    cidr: place.cidr,
    from: present?.revision ?? ABSENT,
    to: present?.value.state === 'confirmed' ? 'unchanged' : confirmAffinity(present?.value),
  };
}
