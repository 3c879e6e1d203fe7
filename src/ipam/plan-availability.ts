/** Whether a node could give an address away now: the search of an ADD, up to the point where it would write. Pure. */

import type { IpFamily } from '../base/ip-address.ts';
import type { MustLook } from './assignment/address-search.ts';
import { candidateBlocks } from './assignment/candidates.ts';
import { PROBES } from './assignment/new-block.ts';
import type { AssignmentRequest, IpamFacts, Look } from './facts.ts';
import { existenceOf, type NamedCidr } from './known-blocks.ts';
import { lookAtBlocks, mergeLooks } from './look.ts';
import { planAssignment } from './plan-assignment.ts';
import { choosePools } from './pool-choice.ts';
import type { IpPool } from './records.ts';
import { parseSelector } from './selector/parse.ts';

export type Availability = { readonly outcome: 'available' } | MustLook;

/**
 * For every family of the request, for a pod of whatever namespace. Throws what an ADD would be refused with. Asks for
 * more at once than an ADD does, whose first look nearly always does it.
 */
export function planAvailability(request: AssignmentRequest, facts: IpamFacts): Availability {
  const anyNamespace = { ...facts, pools: facts.pools.map(forAnyNamespace) };
  const looks = request.families.flatMap((family) => lookFor(request, anyNamespace, family));
  return looks.length === 0 ? { outcome: 'available' } : { outcome: 'look', look: mergeLooks(looks) };
}

/** `[]`: there is an address. */
function lookFor(request: AssignmentRequest, facts: IpamFacts, family: IpFamily): readonly Look[] {
  const plan = planAssignment({ ...request, families: [family], requestedAddresses: [] }, facts);
  // Another node's affinity is only asked for when its block is empty and could be taken over.
  if (plan.outcome === 'assigned' || plan.look.affinities.length > 0) return [];
  return [plan.look, lookAtBlocks(unknownCandidates(request, facts, family))];
}

/** Those that the search will ask for next, should this node's own blocks be full. */
function unknownCandidates(
  request: AssignmentRequest,
  facts: IpamFacts,
  family: IpFamily,
): readonly NamedCidr[] {
  const pools = choosePools(request, family, facts.pools, facts.node);
  return candidateBlocks({ request, facts, family, pools })
    .take(PROBES)
    .filter((place) => existenceOf(facts, place) === 'unknown')
    .toArray();
}

/** A selector that cannot be read stays: with such a pool no ADD succeeds. */
function forAnyNamespace(pool: IpPool): IpPool {
  try {
    parseSelector(pool.namespaceSelector);
    return { ...pool, namespaceSelector: '' };
  } catch {
    return pool;
  }
}
