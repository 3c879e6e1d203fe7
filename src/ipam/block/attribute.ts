/** Attributes of a block: who holds an ordinal, or when it was given back. Pure. */

import { CalicoError } from '../../base/calico-error.ts';
import { formatCidr } from '../../base/cidr.ts';
import { formatRfc3339 } from '../../base/time.ts';
import type { AllocationBlock, Attribute } from '../allocation-block.ts';

const NOTHING: Attribute = {
  handleId: undefined,
  activeOwner: undefined,
  alternateOwner: undefined,
  releasedAt: undefined,
  unknownFields: {},
};

/** The attribute of an ordinal in use. */
export function ownerAttribute(
  handleId: string | undefined,
  owner: Readonly<Record<string, string>>,
): Attribute {
  return { ...NOTHING, handleId, activeOwner: Object.keys(owner).length === 0 ? undefined : owner };
}

/** The attribute of an ordinal that waits out its cooldown. */
export function releasedAttribute(nowNs: bigint): Attribute {
  return { ...NOTHING, releasedAt: formatRfc3339(nowNs) };
}

/** The attribute of an ordinal; `undefined` when it is free. An index that leads nowhere is `corrupt`. */
export function attributeOf(block: AllocationBlock, ordinal: number): Attribute | undefined {
  const index = block.allocations[ordinal] ?? null;
  if (index === null) return undefined;
  const attribute = block.attributes[index];
  if (attribute !== undefined) return attribute;
  throw new CalicoError(
    'corrupt',
    `block ${formatCidr(block.cidr)}: ordinal ${ordinal} refers to attribute ${index}, which does not exist`,
  );
}

/** The attributes with the given one among them, and where it is; an equal one is shared. */
export function withAttribute(
  attributes: readonly Attribute[],
  added: Attribute,
): { readonly attributes: readonly Attribute[]; readonly index: number } {
  const index = attributes.findIndex((attribute) => sameAttribute(attribute, added));
  return index < 0 ? { attributes: [...attributes, added], index: attributes.length } : { attributes, index };
}

function sameAttribute(a: Attribute, b: Attribute): boolean {
  return (
    a.handleId === b.handleId &&
    a.releasedAt === b.releasedAt &&
    sameFields(a.activeOwner, b.activeOwner) &&
    sameFields(a.alternateOwner, b.alternateOwner) &&
    Object.keys(a.unknownFields).length === 0
  );
}

function sameFields(
  a: Readonly<Record<string, string>> | undefined,
  b: Readonly<Record<string, string>> | undefined,
): boolean {
  if (a === undefined || b === undefined) return a === b;
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name]);
}
