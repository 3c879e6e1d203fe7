/** What is to be put right: from a report, or for an address or a handle that somebody names. */

import { CalicoError } from '../../base/calico-error.ts';
import { formatIpAddress, type IpAddress, parseIpAddress } from '../../base/ip-address.ts';
import type { Revision } from '../../base/revision.ts';
import type { AllocationBlock } from '../../ipam/allocation-block.ts';
import type { Repair } from '../../ipam/audit/repair.ts';
import { attributeOf } from '../../ipam/block/attribute.ts';
import { cleanHandleId } from '../../ipam/handle-id.ts';
import { addressOfAllocation, type SeenAllocation } from '../../ipam/plan-collection.ts';
import { againOnConflict, type ClusterReading, readRecords } from './read-cluster.ts';
import { findHolder } from './whose-address.ts';

/** Throws `not-found` for an address that nobody has. */
export async function repairsOfAddress(
  text: string,
  { store, deadline }: ClusterReading,
): Promise<readonly Repair[]> {
  const holder = await findHolder(store, parseIpAddress(text), deadline);
  const seen = holder && seenAt(holder.block, holder.ordinal);
  if (seen === undefined)
    throw new CalicoError('not-found', `${text} is not assigned: there is nothing to release`);
  return [{ record: 'address', seen }];
}

/** All blocks are looked through: an address whose handle was lost is found there. Throws `not-found`. */
export async function repairsOfHandle(handleId: string, reading: ClusterReading): Promise<readonly Repair[]> {
  const wanted = cleanHandleId(handleId);
  const found = await againOnConflict(async () => {
    const repairs: Repair[] = [];
    let revision: Revision | undefined;
    await readRecords(reading, ['handle', 'block'], (_key, record) => {
      if (record.record === 'handle' && record.handleId === handleId) revision = record.revision;
      if (record.record !== 'block' || !mayHold(record.block, wanted)) return;
      for (const ordinal of record.block.allocations.keys()) {
        const seen = seenAt(record.block, ordinal);
        if (seen?.handleId === wanted) repairs.push({ record: 'address', seen });
      }
    });
    return { repairs, revision };
  });
  if (found.repairs.length > 0) return found.repairs;
  if (found.revision === undefined)
    throw new CalicoError('not-found', `there is no handle ${JSON.stringify(handleId)}`);
  return [{ record: 'handle', handleId, revision: found.revision, blocks: [] }];
}

/** Addresses of the repairs that an endpoint has: a text about each, by address. */
export async function addressesInUse(
  repairs: readonly Repair[],
  reading: ClusterReading,
): Promise<ReadonlyMap<string, string>> {
  const asked = new Set(repairs.flatMap((repair) => addressOf(repair) ?? []).map(formatIpAddress));
  if (asked.size === 0) return new Map();
  return againOnConflict(async () => {
    const used = new Map<string, string>();
    await readRecords(reading, ['endpoint'], (_key, record) => {
      if (record.record !== 'endpoint') return;
      const { namespace, name, ipNetworks } = record.endpoint;
      for (const { address } of ipNetworks) {
        const text = formatIpAddress(address);
        if (asked.has(text)) used.set(text, `${text} is the address of endpoint ${namespace}/${name}`);
      }
    });
    return used;
  });
}

/** Of a repair that releases one. */
export function addressOf(repair: Repair): IpAddress | undefined {
  return repair.record === 'address' ? addressOfAllocation(repair.seen) : undefined;
}

function mayHold({ attributes }: AllocationBlock, wanted: string): boolean {
  return attributes.some(({ handleId }) => cleanHandleId(handleId ?? '') === wanted);
}

function seenAt(block: AllocationBlock, ordinal: number): SeenAllocation | undefined {
  const attribute = attributeOf(block, ordinal);
  if (attribute === undefined || attribute.releasedAt !== undefined) return undefined;
  return {
    block: block.cidr,
    ordinal,
    handleId: cleanHandleId(attribute.handleId ?? ''),
    sequenceNumber: block.sequenceNumberForAllocation.get(ordinal),
    owner: attribute.activeOwner ?? {},
  };
}
