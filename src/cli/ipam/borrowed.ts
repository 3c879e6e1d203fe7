/** Addresses that are used on another node than the one their block belongs to. Pure. */

import { formatCidr } from '../../base/cidr.ts';
import { formatIpAddress } from '../../base/ip-address.ts';
import { nodeOfAffinity } from '../../ipam/affinity.ts';
import { type AllocationBlock, addressOf } from '../../ipam/allocation-block.ts';
import { attributeOf } from '../../ipam/block/attribute.ts';
import { type Column, formatFramedTable } from '../table.ts';

export interface BorrowedAddress {
  readonly address: string;
  readonly borrowingNode: string;
  readonly block: string;
  readonly blockOwner: string;
  /** `Pod`, or the type of what has it: `ipipTunnelAddress`, … */
  readonly type: string;
  readonly allocatedTo: string;
}

export function borrowedAddresses(block: AllocationBlock): readonly BorrowedAddress[] {
  return block.allocations.flatMap((_, ordinal) => {
    const attribute = attributeOf(block, ordinal);
    const { node, namespace, pod, type } = attribute?.activeOwner ?? {};
    const blockOwner = nodeOfAffinity(block.affinity);
    if (attribute === undefined || node === undefined || node === blockOwner) return [];
    return [
      {
        address: formatIpAddress(addressOf(block, ordinal)),
        borrowingNode: node,
        block: formatCidr(block.cidr),
        blockOwner: blockOwner ?? block.affinity ?? '',
        type: type ?? (pod === undefined ? 'unknown' : 'Pod'),
        allocatedTo: pod === undefined ? (attribute.handleId ?? '') : `${namespace}/${pod}`,
      },
    ];
  });
}

const COLUMNS: readonly Column[] = [
  'IP',
  'BORROWING-NODE',
  'BLOCK',
  'BLOCK OWNER',
  'TYPE',
  'ALLOCATED-TO',
].map((title) => ({ title, align: 'left' }));

export function borrowedTable(addresses: readonly BorrowedAddress[]): string {
  return formatFramedTable(
    COLUMNS,
    addresses.map((one) => [
      one.address,
      one.borrowingNode,
      one.block,
      one.blockOwner,
      one.type,
      one.allocatedTo,
    ]),
  );
}
