/** Takes one named address of a block (Calico's AssignIP). Pure. */

import { CalicoError } from '../../base/calico-error.ts';
import { formatCidr } from '../../base/cidr.ts';
import { formatIpAddress, type IpAddress } from '../../base/ip-address.ts';
import { type AllocationBlock, type Attribute, ordinalOf } from '../allocation-block.ts';
import { checkAffinity } from './affinity-check.ts';
import { allocateOrdinals } from './allocate.ts';
import { attributeOf, ownerAttribute } from './attribute.ts';
import { dropUnusedAttributes } from './collect.ts';
import { describeHolder } from './usage.ts';

/** Who takes a named address. */
export interface NamedAssignment {
  readonly handleId: string | undefined;
  readonly owner: Readonly<Record<string, string>>;
  /** The affinity the block must have (`host:<node>`), under strict affinity. */
  readonly affinityCheck?: string | undefined;
  /** Whether the address may be taken from who holds it: it changes hands without being free in between. */
  readonly mayTakeFrom?: (holder: Attribute) => boolean;
}

/**
 * Reservations are not consulted: who names an address means it. `no-address` when somebody holds it or it is
 * in its cooldown, with the holder's name; unless it may be taken from them.
 */
export function assignAddress(
  block: AllocationBlock,
  address: IpAddress,
  { handleId, owner, affinityCheck, mayTakeFrom }: NamedAssignment,
): AllocationBlock {
  checkAffinity(block, affinityCheck);
  const ordinal = ordinalOf(block, address);
  if (ordinal === undefined) {
    throw new CalicoError(
      'internal',
      `${formatIpAddress(address)} is not in block ${formatCidr(block.cidr)}`,
    );
  }
  const holder = attributeOf(block, ordinal);
  if (holder !== undefined && mayTakeFrom?.(holder) !== true) throw inUse(address, holder, owner);
  return dropUnusedAttributes(allocateOrdinals(block, [ordinal], ownerAttribute(handleId, owner)));
}

function inUse(address: IpAddress, holder: Attribute, asker: NamedAssignment['owner']): CalicoError {
  const text = formatIpAddress(address);
  return new CalicoError(
    'no-address',
    `resource already exists: ${text} with error: Address already assigned in block: ${describeHolder(holder)}`,
    {
      details: `${waysOut(holder, asker)} (calicoctl ipam release --ip=${text})`,
    },
  );
}

function waysOut({ activeOwner, releasedAt }: Attribute, asker: NamedAssignment['owner']): string {
  if (releasedAt !== undefined) return 'try again when its cooldown is over, or end that now';
  const isOfAsker =
    activeOwner?.pod !== undefined &&
    activeOwner.pod === asker.pod &&
    activeOwner.namespace === asker.namespace;
  return isOfAsker
    ? 'this pod has it from an earlier sandbox, whose deletion frees it: try again then, or release it if that sandbox is gone'
    : 'ask for another address, or release this one first if its holder is gone';
}
