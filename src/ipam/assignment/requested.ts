/** Addresses that the request names (Calico's AssignIP). Pure. */

import { CalicoError } from '../../base/calico-error.ts';
import { cidrOf, containsAddress } from '../../base/cidr.ts';
import { addressBits, formatIpAddress, type IpAddress } from '../../base/ip-address.ts';
import { type AllocationBlock, type Attribute, hostAffinity, ordinalOf } from '../allocation-block.ts';
import { assignAddress } from '../block/assign.ts';
import { nextVersion } from '../block/next-version.ts';
import { ordinalsOfHandle } from '../block/usage.ts';
import type { AssignmentRequest, IpamFacts } from '../facts.ts';
import { isRead, loadBlock, type NamedCidr, nameCidr, uniquePlaces } from '../known-blocks.ts';
import { lookAtBlocks, lookAtHandles, mergeLooks } from '../look.ts';
import { listPools, poolOf } from '../pool-choice.ts';
import type { IpPool } from '../records.ts';
import type { MustLook, Taken } from './address-search.ts';
import {
  describeTakenOver,
  handlesToRead,
  heldByOthers,
  mayTakeOver,
  predecessorChanges,
} from './take-over.ts';
import { asOwn, type UsableBlock } from './usable-block.ts';

/**
 * All of them, as /32 or /128 in the order of the request. Selectors, reservations and the block limit are not
 * asked: who names an address means it. Throws when an address is in no pool, or somebody else has it.
 */
export function takeRequested(request: AssignmentRequest, facts: IpamFacts): Taken | MustLook {
  const { requestedAddresses } = request;
  const places = uniquePlaces(requestedAddresses.map((address) => blockOf(request, facts, address)));
  const unread = places.filter((place) => !isRead(facts, place));
  const handles = handlesToRead(request, facts);
  if (unread.length + handles.length > 0) {
    return { outcome: 'look', look: mergeLooks([lookAtBlocks(unread), lookAtHandles(handles)]) };
  }
  const parts = places.map((place) => takeInBlock(request, facts, place));
  const changes = parts.flatMap((part) => part.changes);
  const takenOver = parts.flatMap((part) => part.takenOver);
  return {
    outcome: 'taken',
    networks: requestedAddresses.map((address) => ({ address, prefixLength: addressBits(address.family) })),
    changes: [...changes, ...predecessorChanges(request, facts, takenOver, changes)],
    takenOver,
    notes: [...parts.flatMap(({ notes }) => notes), ...takenOver.map(describeTakenOver)],
  };
}

function takeInBlock(
  request: AssignmentRequest,
  facts: IpamFacts,
  place: NamedCidr,
): Omit<Taken, 'outcome' | 'networks'> {
  const { block, from, also, notes } = usableBlock(request, facts, place);
  const addresses = request.requestedAddresses.filter((address) => containsAddress(place.cidr, address));
  const assigned = addresses.reduce((now, address) => assignOnce(request, facts, now, address), block);
  // It has them all: nobody may release one as a leak before an endpoint says that it is none.
  if (assigned === block) {
    return {
      changes: [{ record: 'block', cidr: place.cidr, from, to: 'unchanged' }],
      takenOver: [],
      notes: [],
    };
  }
  return {
    changes: [{ record: 'block', cidr: place.cidr, from, to: nextVersion(assigned) }, ...also],
    takenOver: heldByOthers(request, block, addresses),
    notes,
  };
}

/** The node's own block, or, unless affinity is strict, another's as it is. */
function usableBlock(request: AssignmentRequest, facts: IpamFacts, place: NamedCidr): UsableBlock {
  const own = asOwn(request, facts, place);
  if (own !== undefined) return own;
  const stored = loadBlock(facts, place, request.nowNs);
  if (stored === undefined) throw new CalicoError('internal', `block ${place.text} was not read`);
  return { block: stored.value, from: stored.revision, also: [], notes: [] };
}

/** An address the handle has already stays as it is. */
function assignOnce(
  request: AssignmentRequest,
  { config }: IpamFacts,
  block: AllocationBlock,
  address: IpAddress,
): AllocationBlock {
  const { handleId, owner, nodeName } = request;
  const ordinal = ordinalOf(block, address);
  if (ordinalsOfHandle(block, handleId).some((held) => held === ordinal)) return block;
  const affinityCheck = config.strictAffinity ? hostAffinity(nodeName) : undefined;
  const mayTakeFrom = (holder: Attribute) => mayTakeOver(request, address, holder);
  return assignAddress(block, address, { handleId, owner, affinityCheck, mayTakeFrom });
}

function blockOf(request: AssignmentRequest, { pools }: IpamFacts, address: IpAddress): NamedCidr {
  const pool = poolOf(pools, address);
  if (pool === undefined) throw notInPool(address, pools);
  if (!pool.allowedUses.includes(request.use)) throw notForUse(address, pool, request.use);
  return nameCidr(cidrOf(address, pool.blockSize));
}

/** The line feed is Calico's. */
function notInPool(address: IpAddress, pools: readonly IpPool[]): CalicoError {
  return new CalicoError('config', 'The provided IP address is not in a configured pool\n', {
    details: `${formatIpAddress(address)} is in none of the enabled pools (${listPools(pools)}): request another address, or create or enable a pool that holds it`,
  });
}

function notForUse(address: IpAddress, pool: IpPool, use: string): CalicoError {
  const uses = pool.allowedUses.join(' ');
  return new CalicoError(
    'config',
    `IP address ${formatIpAddress(address)} is in IP pool ${JSON.stringify(pool.name)}, which is not allowed for use ${JSON.stringify(use)} (allowedUses: [${uses}])`,
    { details: `request an address of another pool, or add ${use} to allowedUses of this one` },
  );
}
