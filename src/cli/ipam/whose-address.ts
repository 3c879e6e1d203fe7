/** Who has an address. */

import type { Deadline } from '../../base/deadline.ts';
import { formatIpAddress, type IpAddress } from '../../base/ip-address.ts';
import { allocationFacts, allocationRanges } from '../../datastore/allocation-records.ts';
import { readAll } from '../../datastore/read-all.ts';
import type { Store } from '../../datastore/store.ts';
import { type AllocationBlock, type Attribute, ordinalOf } from '../../ipam/allocation-block.ts';
import { attributeOf } from '../../ipam/block/attribute.ts';

export interface AddressHolder {
  readonly block: AllocationBlock;
  readonly ordinal: number;
  /** `undefined`: the address is free. */
  readonly attribute: Attribute | undefined;
}

/** `undefined`: no block holds the address. Throws what the store throws, and `corrupt`. */
export async function findHolder(
  store: Store,
  address: IpAddress,
  deadline: Deadline,
): Promise<AddressHolder | undefined> {
  const asked = { addresses: [address], handleIds: [] };
  const view = await readAll(store, allocationRanges(asked), deadline);
  const [block] = allocationFacts(view, asked).blocks;
  const ordinal = block && ordinalOf(block, address);
  if (block === undefined || ordinal === undefined) return undefined;
  return { block, ordinal, attribute: attributeOf(block, ordinal) };
}

/** As `calicoctl ipam show --ip` prints it. */
export function describeAddress(address: IpAddress, holder: AddressHolder | undefined): string {
  const text = formatIpAddress(address);
  const attribute = holder?.attribute;
  if (attribute === undefined) return `${text} is not assigned\n`;
  if (attribute.releasedAt !== undefined)
    return `${text} is not assigned: it is in cooldown, released at ${attribute.releasedAt}\n`;
  return [
    `IP ${text} is in use`,
    ...(attribute.handleId === undefined ? ['No handle'] : [`Handle ID: ${attribute.handleId}`]),
    ...ownerLines('Active', attribute.activeOwner),
    ...ownerLines('Alternate', attribute.alternateOwner),
    '',
  ].join('\n');
}

/** The same for programs. */
export function addressData(address: IpAddress, holder: AddressHolder | undefined) {
  const attribute = holder?.attribute;
  return {
    ip: formatIpAddress(address),
    assigned: attribute !== undefined && attribute.releasedAt === undefined,
    ...(holder && {
      sequenceNumber: holder.block.sequenceNumberForAllocation.get(holder.ordinal)?.toString(),
    }),
    handleID: attribute?.handleId,
    activeOwner: attribute?.activeOwner,
    alternateOwner: attribute?.alternateOwner,
    releasedAt: attribute?.releasedAt,
  };
}

function ownerLines(which: string, owner: Attribute['activeOwner']): readonly string[] {
  if (owner === undefined) return [];
  const names = Object.keys(owner).sort();
  return [`${which} Owner Attributes:`, ...names.map((name) => `  ${name}: ${owner[name]}`)];
}
