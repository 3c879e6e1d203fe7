/** AllocationBlock: whose it is, which of its addresses others hold, and how many its owner. Pure. */

import { addressCount, type Cidr, sameCidr, tryParseCidr } from '../base/cidr.ts';
import { isJsonObject } from '../base/json-object.ts';
import { arrayField, stringField, wrongType } from '../datastore/codecs/fields.ts';
import { corrupt } from '../datastore/codecs/json.ts';
import type { BorrowedAddress, ClusterBlock } from './cluster.ts';
import { decodeRecord } from './decode-record.ts';

export interface DecodedBlock {
  readonly block: ClusterBlock;
  /** How many addresses the owner holds itself. */
  readonly ownAllocations: number;
}

/**
 * The CIDR is that of the key. Whether the block is marked as deleted, and the state of its affinity, do not matter: as
 * long as the record is there, its owner may have pods in it. Throws `corrupt`, naming the key.
 */
export function decodeBlock(text: string, key: string, cidr: Cidr): DecodedBlock {
  const source = decodeRecord(text, key);
  const stated = tryParseCidr(stringField(source, 'cidr') ?? '');
  if (stated === undefined || !sameCidr(stated, cidr))
    throw wrongType(key, 'cidr', 'that of its key', source.object.cidr);
  const affinity = stringField(source, 'affinity');
  const owner = affinity?.startsWith('host:') ? affinity.slice('host:'.length) : undefined;
  const allocated = decodeAllocations(
    cidr,
    arrayField(source, 'allocations') ?? [],
    (arrayField(source, 'attributes') ?? []).map((attribute) => decodeHolder(attribute, key)),
    key,
  );
  const borrowed = allocated.filter(({ nodeName }) => owner === undefined || nodeName !== owner);
  const isVirtual = affinity?.startsWith('virtual:') ?? false;
  return {
    block: { cidr, owner, isVirtual, borrowed },
    ownAllocations: allocated.length - borrowed.length,
  };
}

/** Whose the addresses of an attribute are. Those that were released wait for their time to be over, and are nobody's. */
interface Holder {
  readonly nodeName: string | undefined;
  readonly isReleased: boolean;
}

function decodeHolder(attribute: unknown, key: string): Holder {
  if (!isJsonObject(attribute)) throw wrongType(key, 'attributes', 'an array of objects', attribute);
  const { secondary, releasedAt } = attribute;
  const node = isJsonObject(secondary) ? secondary.node : undefined;
  return {
    nodeName: typeof node === 'string' && node !== '' ? node : undefined,
    isReleased: typeof releasedAt === 'string',
  };
}

/** Those that somebody holds, by ordinal. */
function decodeAllocations(
  cidr: Cidr,
  allocations: readonly unknown[],
  holders: readonly Holder[],
  key: string,
): readonly BorrowedAddress[] {
  if (BigInt(allocations.length) > addressCount(cidr))
    throw corrupt(key, `${allocations.length} allocations in a block of ${addressCount(cidr)} addresses`);
  return allocations.flatMap((index, ordinal) => {
    if (index === null) return [];
    const holder = typeof index === 'number' ? holders[index] : undefined;
    if (holder === undefined)
      throw wrongType(key, 'allocations', `null or an index below ${holders.length}`, index);
    if (holder.isReleased) return [];
    const address = { family: cidr.family, value: cidr.base + BigInt(ordinal) };
    return [{ address, nodeName: holder.nodeName }];
  });
}
