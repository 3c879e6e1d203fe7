/** Where an address is allocated, found from the address alone: what CHECK reads of IPAM. Pure. */

import { type Cidr, cidrOf } from '../base/cidr.ts';
import { addressBits, type IpAddress } from '../base/ip-address.ts';
import type { AllocationFacts, AskedAllocation } from '../ipam/check-allocation.ts';
import { decodeBlock } from './codecs/block.ts';
import { decodeHandle } from './codecs/handle.ts';
import { blockKey, handleKey } from './keys.ts';
import type { Range } from './store.ts';
import { entryAt, type View } from './view.ts';

type AskedRecords = Pick<AskedAllocation, 'addresses' | 'handleIds'>;

/** Calico's limits of a pool's block size: IPv4 /20 to /32, IPv6 /116 to /128. */
const MOST_HOST_BITS = 12;

/** The handles and, for each address, the block of every size there is: no pool need be known, which may have changed. */
export function allocationRanges({ addresses, handleIds }: AskedRecords): readonly Range[] {
  const keys = [...handleIds.map(handleKey), ...addresses.flatMap(possibleBlocks).map(blockKey)];
  return [...new Set(keys)].map((key) => ({ key }));
}

/** Throws `corrupt`, naming the key, when a record cannot be understood. */
export function allocationFacts(view: View, { addresses, handleIds }: AskedRecords): AllocationFacts {
  const blockKeys = new Set(addresses.flatMap(possibleBlocks).map(blockKey));
  return {
    blocks: [...blockKeys].flatMap((key) => {
      const entry = entryAt(view, key);
      return entry === undefined ? [] : [decodeBlock(entry.value, key)];
    }),
    handles: new Map(
      handleIds.flatMap((handleId) => {
        const entry = entryAt(view, handleKey(handleId));
        return entry === undefined ? [] : [[handleId, decodeHandle(entry.value, entry.key)] as const];
      }),
    ),
  };
}

function possibleBlocks(address: IpAddress): readonly Cidr[] {
  const bits = addressBits(address.family);
  return Array.from({ length: MOST_HOST_BITS + 1 }, (_, hostBits) => cidrOf(address, bits - hostBits));
}
