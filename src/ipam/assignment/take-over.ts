/**
 * Requested addresses that the pod's previous sandbox still holds. Calico releases them first and assigns them then,
 * and in between they are anybody's; here they change hands in one write. Pure.
 */

import { formatIpAddress, type IpAddress, sameAddress } from '../../base/ip-address.ts';
import { type AllocationBlock, type Attribute, ordinalOf } from '../allocation-block.ts';
import { attributeOf } from '../block/attribute.ts';
import { describeHolder } from '../block/usage.ts';
import type { AssignmentRequest, IpamFacts, TakenOver } from '../facts.ts';
import { isSameHandle } from '../handle-id.ts';
import { recountHandle } from '../holdings.ts';
import type { IpamChange } from '../records.ts';

/**
 * Whether the address is one that the pod's endpoint records, held by the sandbox the endpoint was made for. Without a
 * handle, as old data has it, the attribute must name the pod.
 */
export function mayTakeOver(
  { predecessor, owner }: AssignmentRequest,
  address: IpAddress,
  { handleId, activeOwner }: Attribute,
): boolean {
  if (!predecessor?.addresses.some((recorded) => sameAddress(recorded, address))) return false;
  if (handleId !== undefined) return predecessor.handleIds.some((known) => isSameHandle(known, handleId));
  const { pod, namespace } = activeOwner ?? {};
  return pod !== undefined && pod === owner.pod && namespace === owner.namespace;
}

/** Handles of the predecessor that must be read, because it may lose an address. */
export function handlesToRead(
  { predecessor, requestedAddresses }: AssignmentRequest,
  facts: IpamFacts,
): readonly string[] {
  const isRecorded = (address: IpAddress) =>
    predecessor?.addresses.some((recorded) => sameAddress(recorded, address)) === true;
  if (predecessor === undefined || !requestedAddresses.some(isRecorded)) return [];
  return predecessor.handleIds.filter((handleId) => !facts.handles.has(handleId));
}

/** Those of the addresses that somebody else holds in the block. */
export function heldByOthers(
  { handleId }: AssignmentRequest,
  block: AllocationBlock,
  addresses: readonly IpAddress[],
): readonly TakenOver[] {
  return addresses.flatMap((address) => {
    const ordinal = ordinalOf(block, address);
    const from = ordinal === undefined ? undefined : attributeOf(block, ordinal);
    const isOwn = from?.handleId !== undefined && isSameHandle(from.handleId, handleId);
    return from === undefined || isOwn ? [] : [{ address, from }];
  });
}

/** What becomes of the predecessor's handles once the changes are made. */
export function predecessorChanges(
  { predecessor }: AssignmentRequest,
  facts: IpamFacts,
  takenOver: readonly TakenOver[],
  changes: readonly IpamChange[],
): readonly IpamChange[] {
  const lost = (predecessor?.handleIds ?? []).filter((known) =>
    takenOver.some(({ from }) => from.handleId !== undefined && isSameHandle(known, from.handleId)),
  );
  return lost.flatMap((handleId) => recountHandle(handleId, facts, changes));
}

/** For the log. */
export function describeTakenOver({ address, from }: TakenOver): string {
  return `took ${formatIpAddress(address)} over from the sandbox before this one: it was ${describeHolder(from)}`;
}
