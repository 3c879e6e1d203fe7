/** The search for one automatic address of one family: what is asked, and what a step of it may answer. Pure. */

import { baseAddress, containsAddress, type IpNetwork } from '../../base/cidr.ts';
import type { IpFamily } from '../../base/ip-address.ts';
import { hostAffinity } from '../allocation-block.ts';
import { autoAssign } from '../block/auto-assign.ts';
import { nextVersion } from '../block/next-version.ts';
import type { AssignmentRequest, IpamFacts, Look, NodeAffinity, TakenOver } from '../facts.ts';
import type { IpamChange, IpPool } from '../records.ts';
import type { UsableBlock } from './usable-block.ts';

/** One search: what is asked for, what is known, and where to look. */
export interface AddressSearch {
  readonly request: AssignmentRequest;
  readonly facts: IpamFacts;
  readonly family: IpFamily;
  /** The pools to take from, in order. */
  readonly pools: readonly IpPool[];
}

/** Addresses, and everything that has to be written so that they are given. */
export interface Taken {
  readonly outcome: 'taken';
  readonly networks: readonly IpNetwork[];
  readonly changes: readonly IpamChange[];
  /** Addresses among them that another sandbox of the pod had. */
  readonly takenOver: readonly TakenOver[];
  readonly notes: readonly string[];
}

/** No decision before more has been read. */
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

/** The next free address of the block, with the block's mask; `undefined` when it has none. */
export function takeFrom(
  { request, facts }: AddressSearch,
  { block, from, also, notes }: UsableBlock,
): Taken | undefined {
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
    networks: [{ address, prefixLength: block.cidr.prefixLength }],
    changes: [{ record: 'block', cidr: block.cidr, from, to: nextVersion(assigned.block) }, ...also],
    takenOver: [],
    notes,
  };
}
