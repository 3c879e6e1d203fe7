/** AllocationBlock ⇄ JSON, in the field order and with the omissions of Calico's current writer. Pure. */

import { addressCount, type Cidr, formatCidr, sameCidr, tryParseCidr } from '../../base/cidr.ts';
import { isJsonObject } from '../../base/json-object.ts';
import type { AllocationBlock, Attribute } from '../../ipam/allocation-block.ts';
import { cidrOfKey, MAX_BLOCK_ADDRESSES } from '../keys.ts';
import {
  arrayField,
  asUint64,
  type FieldSource,
  objectField,
  stringField,
  stringMapField,
  uint64Field,
  unknownFields,
  wrongType,
} from './fields.ts';
import { corrupt, formatJson, formatMap, formatMembers, parseJsonObject, unknownMembers } from './json.ts';

/** Fields read here, and old ones that today's writers drop: a rewrite shall not bring them back. */
const BLOCK_FIELDS = [
  'cidr',
  'affinity',
  'affinity_claim_time',
  'allocations',
  'unallocated',
  'attributes',
  'sequenceNumber',
  'sequenceNumberForAllocation',
  'deleted',
  'strictAffinity',
  'hostAffinity',
];
const ATTRIBUTE_FIELDS = ['handle_id', 'secondary', 'alternateOwnerAttrs', 'releasedAt'];

export function decodeBlock(text: string, key: string): AllocationBlock {
  const source: FieldSource = { object: parseJsonObject(text, key), key };
  const cidr = decodeBlockCidr(source);
  const attributes = (arrayField(source, 'attributes') ?? []).map((value) => decodeAttribute(value, key));
  const allocations = decodeAllocations(source, Number(addressCount(cidr)), attributes.length);
  return {
    cidr,
    affinity: stringField(source, 'affinity'),
    affinityClaimTime: stringField(source, 'affinity_claim_time'),
    allocations,
    unallocated: decodeUnallocated(source, allocations),
    attributes,
    sequenceNumber: uint64Field(source, 'sequenceNumber') ?? 0n,
    sequenceNumberForAllocation: decodeSequenceNumbers(source, allocations.length),
    unknownFields: unknownFields(source.object, BLOCK_FIELDS),
  };
}

/** One that its key contradicts would have addresses given out twice: those of the block it says it is. */
function decodeBlockCidr(source: FieldSource): Cidr {
  const { object, key } = source;
  const cidr = tryParseCidr(stringField(source, 'cidr') ?? '');
  if (cidr === undefined) throw wrongType(key, 'cidr', 'a CIDR', object.cidr);
  if (addressCount(cidr) > MAX_BLOCK_ADDRESSES)
    throw corrupt(key, `a block of more than ${MAX_BLOCK_ADDRESSES} addresses`);
  const named = cidrOfKey(key);
  if (named !== undefined && !sameCidr(named, cidr))
    throw corrupt(key, `its CIDR is ${formatCidr(cidr)}, which is another block's`);
  return cidr;
}

export function encodeBlock(block: AllocationBlock): string {
  return formatMembers([
    ['cidr', formatJson(formatCidr(block.cidr))],
    ['affinity', formatJson(block.affinity ?? null)],
    ['affinity_claim_time', formatJson(block.affinityClaimTime)],
    ['allocations', formatJson(block.allocations)],
    ['unallocated', formatJson(block.unallocated)],
    ['attributes', `[${block.attributes.map(encodeAttribute).join(',')}]`],
    ['sequenceNumber', formatJson(block.sequenceNumber)],
    ['sequenceNumberForAllocation', encodeSequenceNumbers(block.sequenceNumberForAllocation)],
    ['deleted', 'false'],
    ...unknownMembers(block.unknownFields),
  ]);
}

function decodeAttribute(value: unknown, key: string): Attribute {
  if (!isJsonObject(value)) throw wrongType(key, 'attributes', 'an array of objects', value);
  const source: FieldSource = { object: value, key };
  return {
    handleId: stringField(source, 'handle_id'),
    activeOwner: stringMapField(source, 'secondary'),
    alternateOwner: stringMapField(source, 'alternateOwnerAttrs'),
    releasedAt: stringField(source, 'releasedAt'),
    unknownFields: unknownFields(value, ATTRIBUTE_FIELDS),
  };
}

function encodeAttribute(attribute: Attribute): string {
  return formatMembers([
    ['handle_id', formatJson(attribute.handleId)],
    ['secondary', encodeOwner(attribute.activeOwner)],
    ['alternateOwnerAttrs', encodeOwner(attribute.alternateOwner)],
    ['releasedAt', formatJson(attribute.releasedAt)],
    ...unknownMembers(attribute.unknownFields),
  ]);
}

function decodeAllocations(
  source: FieldSource,
  size: number,
  attributeCount: number,
): readonly (number | null)[] {
  const values = arrayField(source, 'allocations') ?? [];
  if (values.length !== size)
    throw corrupt(source.key, `${values.length} allocations in a block of ${size} addresses`);
  return values.map((value) => {
    if (value === null || isIndex(value, attributeCount)) return value;
    throw wrongType(source.key, 'allocations', `null or an index below ${attributeCount}`, value);
  });
}

/** The queue must name each free ordinal once: to hand out an ordinal twice is the one unforgivable thing. */
function decodeUnallocated(source: FieldSource, allocations: readonly (number | null)[]): readonly number[] {
  const seen = new Set<number>();
  for (const value of arrayField(source, 'unallocated') ?? []) {
    if (!isIndex(value, allocations.length))
      throw wrongType(source.key, 'unallocated', 'an array of ordinals', value);
    if (seen.has(value)) throw corrupt(source.key, `unallocated names ordinal ${value} twice`);
    if (allocations[value] !== null)
      throw corrupt(source.key, `ordinal ${value} is allocated and unallocated`);
    seen.add(value);
  }
  return [...seen];
}

function decodeSequenceNumbers(source: FieldSource, size: number): ReadonlyMap<number, bigint> {
  const name = 'sequenceNumberForAllocation';
  const numbers = objectField(source, name)?.object ?? {};
  return new Map(
    Object.entries(numbers).map(([text, value]) => {
      const ordinal = Number(text);
      if (String(ordinal) !== text || !isIndex(ordinal, size))
        throw wrongType(source.key, name, 'a map from ordinals', text);
      return [ordinal, asUint64(source.key, name, value)];
    }),
  );
}

function encodeSequenceNumbers(numbers: ReadonlyMap<number, bigint>): string {
  return formatMap(Array.from(numbers, ([ordinal, number]) => [String(ordinal), number]));
}

function encodeOwner(owner: Readonly<Record<string, string>> | undefined): string | undefined {
  return owner === undefined ? undefined : formatMap(Object.entries(owner));
}

function isIndex(value: unknown, below: number): value is number {
  return Number.isInteger(value) && Number(value) >= 0 && Number(value) < below;
}
