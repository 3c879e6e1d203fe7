/** Takes one named address of a block (Calico's AssignIP). Pure. */

import { CalicoError } from '../../base/calico-error.ts';
import { formatCidr } from '../../base/cidr.ts';
import { formatIpAddress, type IpAddress } from '../../base/ip-address.ts';
import { type AllocationBlock, ordinalOf } from '../allocation-block.ts';
import { checkAffinity } from './affinity-check.ts';
import { allocateOrdinals } from './allocate.ts';
import { attributeOf, ownerAttribute } from './attribute.ts';
import { describeHolder } from './usage.ts';

/** Who takes a named address. */
export interface NamedAssignment {
  readonly handleId: string | undefined;
  readonly owner: Readonly<Record<string, string>>;
  /** The affinity the block must have (`host:<node>`), under strict affinity. */
  readonly affinityCheck?: string | undefined;
}

/**
 * Reservations are not consulted: who names an address means it. `no-address` when somebody holds it or it is
 * in its cooldown, with the holder's name.
 */
export function assignAddress(
  block: AllocationBlock,
  address: IpAddress,
  { handleId, owner, affinityCheck }: NamedAssignment,
): AllocationBlock {
  checkAffinity(block, affinityCheck);
  const ordinal = ordinalOf(block, address);
  if (ordinal === undefined) {
    throw new CalicoError(
      'internal',
      `${formatIpAddress(address)} is not in block ${formatCidr(block.cidr)}`,
    );
  }
  const present = attributeOf(block, ordinal);
  if (present === undefined) return allocateOrdinals(block, [ordinal], ownerAttribute(handleId, owner));
  throw new CalicoError(
    'no-address',
    `resource already exists: ${formatIpAddress(address)} with error: Address already assigned in block: ${describeHolder(present)}`,
    {
      details: `ask for another address, or release this one first if its holder is gone (calicoctl ipam release --ip=${formatIpAddress(address)})`,
    },
  );
}
