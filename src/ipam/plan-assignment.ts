/**
 * Decides which addresses an ADD gets and what must be written for them. Pure: a function of the request and
 * of what is known, asked again whenever more is known or somebody else was faster.
 */

import { CalicoError } from '../base/calico-error.ts';
import type { IpNetwork } from '../base/cidr.ts';
import { formatIpAddress, type IpAddress, type IpFamily, sameAddress } from '../base/ip-address.ts';
import { addressOf } from './allocation-block.ts';
import type { MustLook, Taken } from './assignment/address-search.ts';
import { searchAddress } from './assignment/automatic.ts';
import { takeRequested } from './assignment/requested.ts';
import type { AssignmentRequest, IpamFacts, TakenOver } from './facts.ts';
import { findHoldings, type Holding, type Holdings, handleChanges } from './holdings.ts';
import { lookAtBlocks, mergeLooks } from './look.ts';
import { choosePools } from './pool-choice.ts';
import type { IpamChange } from './records.ts';

/** What an ADD gets and what must be written for it, or what must be read first. */
export type AssignmentPlan =
  | {
      readonly outcome: 'assigned';
      /** Automatic addresses with the mask of their block, requested ones as /32 or /128. */
      readonly addresses: readonly IpNetwork[];
      /** What the handle had before: it keeps these if the ADD is taken back. */
      readonly held: readonly IpAddress[];
      /** What it takes over: the predecessor gets these again if the ADD is taken back. */
      readonly takenOver: readonly TakenOver[];
      /** To be made all together or not at all; empty when everything is there already. */
      readonly changes: readonly IpamChange[];
      /** What was out of the ordinary, for the log. */
      readonly notes: readonly string[];
    }
  | MustLook;

/**
 * All addresses or none: IPv4 and IPv6 are in the same changes. What the handle holds already is returned
 * again. Throws `no-address`, `config` or `not-found`, in Calico's words, when the request cannot be met.
 */
export function planAssignment(request: AssignmentRequest, facts: IpamFacts): AssignmentPlan {
  const holdings = findHoldings(request.handleId, facts, request.nowNs);
  if (holdings.unread.length > 0) return { outcome: 'look', look: lookAtBlocks(holdings.unread) };
  refuseSecondAddress(request, holdings);
  const answers =
    request.requestedAddresses.length > 0
      ? [takeRequested(request, facts)]
      : request.families.map((family) => takeAutomatic(request, facts, family, holdings));
  const looks = answers.flatMap((answer) => (answer.outcome === 'look' ? [answer.look] : []));
  if (looks.length > 0) return { outcome: 'look', look: mergeLooks(looks) };
  return assigned(
    answers.flatMap((answer) => (answer.outcome === 'taken' ? [answer] : [])),
    holdings,
  );
}

function assigned(taken: readonly Taken[], holdings: Holdings): AssignmentPlan {
  const changes = taken.flatMap((answer) => answer.changes);
  return {
    outcome: 'assigned',
    addresses: taken.flatMap(({ networks }) => networks),
    held: heldAddresses(holdings),
    takenOver: taken.flatMap(({ takenOver }) => takenOver),
    changes: [...changes, ...handleChangesOrGuard(holdings, changes)],
    notes: taken.flatMap(({ notes }) => notes),
  };
}

/** A handle that counts right as it is must still be there: it may be released as a leak meanwhile. */
function handleChangesOrGuard(holdings: Holdings, changes: readonly IpamChange[]): readonly IpamChange[] {
  const { handleId, stored } = holdings;
  const written = handleChanges(holdings, changes);
  if (written.length > 0 || stored === undefined) return written;
  return [{ record: 'handle', handleId, from: stored.revision, to: 'unchanged' }];
}

/** What the handle has of the family already, or a new address. */
function takeAutomatic(
  request: AssignmentRequest,
  facts: IpamFacts,
  family: IpFamily,
  { held }: Holdings,
): Taken | MustLook {
  const holding = held.find(({ cidr }) => cidr.family === family);
  if (holding !== undefined) {
    const networks = [heldNetwork(holding)];
    return { outcome: 'taken', networks, changes: [guardOf(holding)], takenOver: [], notes: [] };
  }
  const pools = choosePools(request, family, facts.pools, facts.node);
  return searchAddress({ request, facts, family, pools });
}

function heldAddresses({ held }: Holdings): readonly IpAddress[] {
  return held.flatMap(({ block, ordinals }) => ordinals.map((ordinal) => addressOf(block, ordinal)));
}

/** An address that is asked for by name comes instead of one the container has, not beside it. */
function refuseSecondAddress({ handleId, requestedAddresses }: AssignmentRequest, holdings: Holdings): void {
  for (const address of heldAddresses(holdings)) {
    const rivals = requestedAddresses.filter(({ family }) => family === address.family);
    if (rivals.length === 0 || rivals.some((rival) => sameAddress(rival, address))) continue;
    const asked = rivals.map(formatIpAddress).join(', ');
    throw new CalicoError(
      'config',
      `Cannot assign ${asked}: handle ${handleId} already has ${formatIpAddress(address)}`,
      {
        details: 'delete the container from the network first, or request the address it has',
      },
    );
  }
}

/** Nobody may release it as a leak before what is written of it, an endpoint, says that it is not. */
function guardOf({ cidr, revision }: Holding): IpamChange {
  return { record: 'block', cidr, from: revision, to: 'unchanged' };
}

/** Should it have several, the first one; all of them are released together. */
function heldNetwork({ block, ordinals: [ordinal = 0] }: Holding): IpNetwork {
  return { address: addressOf(block, ordinal), prefixLength: block.cidr.prefixLength };
}
