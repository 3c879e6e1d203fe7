/** Whether a container holds the addresses it uses, as blocks and handle records say. Pure. */

import { formatCidr } from '../base/cidr.ts';
import { formatIpAddress, type IpAddress } from '../base/ip-address.ts';
import type { Mismatch } from '../base/mismatch.ts';
import { type AllocationBlock, type Attribute, ordinalOf } from './allocation-block.ts';
import { attributeOf } from './block/attribute.ts';
import { cleanHandleId } from './handle-id.ts';
import type { Handle } from './records.ts';

export interface AllocationFacts {
  /** Whatever blocks there are that an address may be in. */
  readonly blocks: readonly AllocationBlock[];
  /** Records of the asked handles; one that is missing has none. */
  readonly handles: ReadonlyMap<string, Handle>;
}

export interface AskedAllocation {
  readonly addresses: readonly IpAddress[];
  /** The handles the container may hold them under; a new one would be the first. */
  readonly handleIds: readonly string[];
  /** Handles that begin so are those of virtual machines, which hold an address through all their containers. */
  readonly machinePrefix: string;
}

/** Nothing when each address is the container's. An address the container holds but does not use is no mismatch. */
export function allocationMismatches(asked: AskedAllocation, facts: AllocationFacts): readonly Mismatch[] {
  const findings = asked.addresses.map((address) => findAllocation(address, asked, facts));
  const held = findings.filter((finding) => 'handleId' in finding);
  const wrong = findings.filter((finding) => 'object' in finding);
  const handleIds = held.length === 0 ? asked.handleIds.slice(0, 1) : held.map(({ handleId }) => handleId);
  return [
    ...wrong,
    ...[...new Set(handleIds)]
      .filter((handleId) => asked.handleIds.includes(handleId))
      .flatMap((handleId) => handleMismatches(handleId, held, facts)),
  ];
}

interface Held {
  readonly handleId: string;
  readonly cidrText: string;
}

function findAllocation(
  address: IpAddress,
  asked: AskedAllocation,
  { blocks }: AllocationFacts,
): Held | Mismatch {
  const expected = `allocated to handle ${asked.handleIds[0] ?? ''}`;
  const around = blocks.filter((block) => ordinalOf(block, address) !== undefined);
  if (around.length === 0) {
    return { object: `address ${formatIpAddress(address)}`, expected, found: 'no block that holds it' };
  }
  const attributes = around.map((block) => ({ block, attribute: attributeAt(block, address) }));
  const own = attributes.find(({ attribute }) => isOwn(attribute, asked));
  if (own !== undefined) {
    const handleId = cleanHandleId(own.attribute?.handleId ?? '');
    return { handleId, cidrText: formatCidr(own.block.cidr) };
  }
  const names = around.map(({ cidr }) => formatCidr(cidr)).join(' and ');
  const object = `address ${formatIpAddress(address)} in block ${names}`;
  return { object, expected, found: describe(attributes[0]?.attribute) };
}

function attributeAt(block: AllocationBlock, address: IpAddress): Attribute | undefined {
  const ordinal = ordinalOf(block, address);
  return ordinal === undefined ? undefined : attributeOf(block, ordinal);
}

function isOwn(attribute: Attribute | undefined, { handleIds, machinePrefix }: AskedAllocation): boolean {
  if (attribute?.handleId === undefined) return false;
  const handleId = cleanHandleId(attribute.handleId);
  return handleIds.includes(handleId) || handleId.startsWith(machinePrefix);
}

function describe(attribute: Attribute | undefined): string {
  if (attribute === undefined) return 'free';
  if (attribute.releasedAt !== undefined) return `released at ${attribute.releasedAt}`;
  if (attribute.handleId === undefined) return 'allocated without a handle';
  return `allocated to handle ${cleanHandleId(attribute.handleId)}`;
}

/** A record that counts more than the container uses is none of CHECK's business: DEL takes it all back. */
function handleMismatches(
  handleId: string,
  held: readonly Held[],
  { handles }: AllocationFacts,
): readonly Mismatch[] {
  const object = `handle ${handleId}`;
  const handle = handles.get(handleId);
  if (handle === undefined) return [{ object, expected: 'present', found: 'missing' }];
  const own = held.filter((one) => one.handleId === handleId);
  return [...Map.groupBy(own, ({ cidrText }) => cidrText)].flatMap(([cidrText, { length }]) => {
    const counted = handle.addressCounts.get(cidrText) ?? 0;
    if (counted >= length) return [];
    return [{ object, expected: `${length} of block ${cidrText}`, found: `${counted} of block ${cidrText}` }];
  });
}
