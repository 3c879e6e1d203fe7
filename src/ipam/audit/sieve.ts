/**
 * Finds out which addresses and handles something is wrong with, and forgets all others. Nearly every record of a cluster
 * agrees with the others, and there may be a million: so of each no more than a few numbers are kept, hashes of what is
 * to be compared. What stays in the sieve is then looked at closely, in a second reading.
 */

import { formatCidr, tryParseCidr } from '../../base/cidr.ts';
import type { IpAddress } from '../../base/ip-address.ts';
import { type AllocationBlock, addressOf } from '../allocation-block.ts';
import { attributeOf } from '../block/attribute.ts';
import { cleanHandleId } from '../handle-id.ts';
import type { Handle } from '../records.ts';
import { createAddressMap } from './address-map.ts';
import { type EndpointUse, isOwner, NOBODY, networkOf, ownerOf } from './endpoint-owner.ts';
import { hashOf } from './hash.ts';
import { holders, isReserved, needsEndpoint } from './holders.ts';
import type { AuditScope } from './scope.ts';

/** What is left in the sieve. */
export interface Suspects {
  readonly isEmpty: boolean;
  hasAddress(address: IpAddress): boolean;
  hasHandle(handleId: string): boolean;
  /** Networks that have endpoints. */
  readonly networks: ReadonlySet<string>;
}

/** Endpoints and handles come before blocks. */
export interface Sieve {
  endpoint(use: EndpointUse): void;
  handle(handleId: string, handle: Handle): void;
  block(block: AllocationBlock): void;
  suspects(): Suspects;
}

export function createSieve(scope: AuditScope): Sieve {
  const addresses = createAddressSieve(scope);
  const handles = createHandleSieve();
  return {
    endpoint: addresses.add,
    handle: handles.add,
    block: (block) => {
      addresses.compare(block);
      handles.compare(block);
    },
    suspects: () => ({
      isEmpty: addresses.isEmpty() && handles.isEmpty(),
      hasAddress: addresses.has,
      hasHandle: handles.has,
      networks: addresses.networks,
    }),
  };
}

function createAddressSieve(scope: AuditScope) {
  /** Index into the owners of each address that an endpoint has; where the block agrees, it is gone. */
  const claimed = createAddressMap<number>();
  const containers: number[] = [];
  const pods: number[] = [];
  /** Claimed twice, or in use without a claim. */
  const wrong = createAddressMap<true>();
  const networks = new Set<string>();

  function compareOne(block: AllocationBlock, ordinal: number): void {
    const attribute = attributeOf(block, ordinal);
    if (attribute === undefined || attribute.releasedAt !== undefined || isReserved(attribute)) return;
    const address = addressOf(block, ordinal);
    const index = claimed.get(address);
    if (index === undefined) {
      if (attribute.handleId === undefined || needsEndpoint(scope, attribute)) wrong.set(address, true);
      return;
    }
    const owner = { container: containers[index] ?? NOBODY, pod: pods[index] ?? NOBODY };
    const network = networkOf(cleanHandleId(attribute.handleId ?? ''), owner);
    if (network !== undefined) networks.add(network);
    if (network !== undefined || isOwner(attribute, owner)) claimed.delete(address);
  }

  return {
    networks,
    isEmpty: () => claimed.size() + wrong.size() === 0,
    has: (address: IpAddress) => claimed.get(address) !== undefined || wrong.get(address) === true,
    add: (use: EndpointUse) => {
      const { container, pod } = ownerOf(use);
      const index = containers.push(container) - 1;
      pods.push(pod);
      for (const address of use.addresses) {
        if (claimed.get(address) === undefined) claimed.set(address, index);
        else wrong.set(address, true);
      }
    },
    compare: (block: AllocationBlock) => {
      for (const ordinal of block.allocations.keys()) compareOne(block, ordinal);
    },
  };
}

function createHandleSieve() {
  /** By hash of the ID: what it counts less what blocks hold, each block with a number of its own; 0 is gone. */
  const sums = new Map<number, number>();
  const empty = new Set<number>();

  function add(handle: number, cidrText: string, count: number): void {
    const sum = (sums.get(handle) ?? 0) + count * weightOf(cidrText);
    if (sum === 0) sums.delete(handle);
    else sums.set(handle, sum);
  }

  return {
    isEmpty: () => sums.size + empty.size === 0,
    has: (handleId: string) => {
      const handle = hashOf(cleanHandleId(handleId));
      return sums.has(handle) || empty.has(handle);
    },
    add: (handleId: string, { addressCounts }: Handle) => {
      const handle = hashOf(cleanHandleId(handleId));
      for (const [cidrText, count] of addressCounts) add(handle, canonical(cidrText), count);
      if (!sums.has(handle)) empty.add(handle);
    },
    compare: (block: AllocationBlock) => {
      const text = formatCidr(block.cidr);
      for (const [handleId, count] of holders(block)) add(hashOf(handleId), text, -count);
    },
  };
}

/** 32 bits, not 0: sums of them are exact. */
function weightOf(cidrText: string): number {
  return (hashOf(cidrText) % 0xffff_fffb) + 1;
}

/** As blocks write it. */
export function canonical(cidrText: string): string {
  const cidr = tryParseCidr(cidrText);
  return cidr === undefined ? cidrText : formatCidr(cidr);
}
