/** What a block is used for. Pure. */

import type { Cidr } from '../../base/cidr.ts';
import type { AllocationBlock, Attribute } from '../allocation-block.ts';
import { cleanHandleId, WINDOWS_RESERVED_HANDLE_ID } from '../handle-id.ts';
import { reservedOrdinals } from '../reservations.ts';
import { attributeOf } from './attribute.ts';

/** Whether nobody holds an address; one that waits out its cooldown still counts as held. */
export function isEmpty(block: AllocationBlock): boolean {
  return block.allocations.every((_, ordinal) => {
    const attribute = attributeOf(block, ordinal);
    return attribute === undefined || attribute.handleId?.toLowerCase() === WINDOWS_RESERVED_HANDLE_ID;
  });
}

/** How many addresses can still be assigned automatically. */
export function freeCount(block: AllocationBlock, reservations: readonly Cidr[]): number {
  const reserved = reservedOrdinals(block.cidr, reservations);
  if (reserved.size === 0) return block.unallocated.length;
  return block.unallocated.filter((ordinal) => !reserved.has(ordinal)).length;
}

/** The ordinals a handle holds, ascending. */
export function ordinalsOfHandle(block: AllocationBlock, handleId: string): readonly number[] {
  const wanted = cleanHandleId(handleId);
  const indexes = new Set<number | null>();
  for (const [index, attribute] of block.attributes.entries()) {
    if (attribute.handleId !== undefined && cleanHandleId(attribute.handleId) === wanted) indexes.add(index);
  }
  if (indexes.size === 0) return [];
  return block.allocations.flatMap((index, ordinal) => (indexes.has(index) ? [ordinal] : []));
}

/** Who holds an address, for messages: `in use by handle "k8s-pod-network.0123" (pod default/web-1, node node1)`. */
export function describeHolder(attribute: Attribute): string {
  if (attribute.releasedAt !== undefined) return `in cooldown, released at ${attribute.releasedAt}`;
  const { pod, namespace, node, type } = attribute.activeOwner ?? {};
  const where = [
    ...(pod === undefined ? [] : [`pod ${namespace ?? 'default'}/${pod}`]),
    ...(type === undefined ? [] : [`type ${type}`]),
    ...(node === undefined ? [] : [`node ${node}`]),
  ];
  const holder =
    attribute.handleId === undefined ? 'without a handle' : `by handle ${JSON.stringify(attribute.handleId)}`;
  return `in use ${holder}${where.length === 0 ? '' : ` (${where.join(', ')})`}`;
}
