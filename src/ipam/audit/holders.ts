/** Who has the addresses of a block. Pure. */

import { parseGoTime } from '../../base/time.ts';
import type { AllocationBlock, Attribute } from '../allocation-block.ts';
import { cleanHandleId, WINDOWS_RESERVED_HANDLE_ID } from '../handle-id.ts';
import type { AuditScope } from './scope.ts';

/** How many addresses each handle holds in the block, by clean ID. */
export function holders({ allocations, attributes }: AllocationBlock): ReadonlyMap<string, number> {
  const held = new Map<string, number>();
  for (const index of allocations) {
    const attribute = index === null ? undefined : attributes[index];
    if (attribute?.handleId === undefined || isReserved(attribute)) continue;
    const id = cleanHandleId(attribute.handleId);
    held.set(id, (held.get(id) ?? 0) + 1);
  }
  return held;
}

/** Set aside by a Windows node, for nobody. */
export function isReserved({ handleId }: Attribute): boolean {
  return handleId?.toLowerCase() === WINDOWS_RESERVED_HANDLE_ID;
}

/**
 * Whether the holder of an address should have an endpoint. Tunnels and services have none, a virtual machine not always,
 * and an ADD that is running not yet.
 */
export function needsEndpoint({ nodeNames, nowNs, graceNs }: AuditScope, attribute: Attribute): boolean {
  const { handleId = '', activeOwner: owner = {}, alternateOwner } = attribute;
  if (alternateOwner !== undefined || handleId.includes('.vmi.') || owner['vmi-name'] !== undefined)
    return false;
  if (owner.service !== undefined || handleId.startsWith('lb-')) return false;
  if (owner.type !== undefined) return owner.node !== undefined && !nodeNames.has(owner.node);
  return (parseGoTime(owner.timestamp ?? '') ?? 0n) < nowNs - graceNs;
}
