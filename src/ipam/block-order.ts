/**
 * In which order a node tries the blocks of a pool. Every node starts somewhere else, so that nodes that boot
 * together do not fight for the same block; compare-and-swap alone decides who gets it. The start is the one
 * Calico draws, so that both kinds of plugin on a node want the same block. Pure.
 */

import type { Cidr } from '../base/cidr.ts';
import { fnv1 } from '../base/fnv.ts';
import { addressBits } from '../base/ip-address.ts';
import { goRandomBelow } from './go-random.ts';
import type { IpPool } from './records.ts';
import { type AddressRange, reservedRanges } from './reservations.ts';

/**
 * All block CIDRs of the pool, once each, from the node's own start upwards with wrap-around. Blocks that are
 * reserved as a whole are jumped over, not visited: a pool may have 2^108 of them.
 */
export function* blocksInOrder(
  pool: IpPool,
  nodeName: string,
  reservations: readonly Cidr[],
): Generator<Cidr, void, undefined> {
  const count = blockCount(pool);
  if (count === 0n) return;
  const start = goRandomBelow(fnv1(nodeName), count);
  const reserved = reservedRanges(pool.cidr, reservations);
  yield* blocksBetween(pool, start, count, reserved);
  yield* blocksBetween(pool, 0n, start, reserved);
}

/** How many blocks the pool is cut into. */
export function blockCount(pool: IpPool): bigint {
  const bits = pool.blockSize - pool.cidr.prefixLength;
  return bits < 0 ? 0n : 1n << BigInt(bits);
}

function* blocksBetween(
  pool: IpPool,
  first: bigint,
  end: bigint,
  reserved: readonly AddressRange[],
): Generator<Cidr, void, undefined> {
  const size = 1n << BigInt(addressBits(pool.cidr.family) - pool.blockSize);
  for (let index = first; index < end; ) {
    const base = pool.cidr.base + index * size;
    const blocking = reserved.find(({ from, to }) => from <= base && base + size <= to);
    if (blocking === undefined) {
      yield { family: pool.cidr.family, base, prefixLength: pool.blockSize };
      index++;
    } else {
      index = (blocking.to - pool.cidr.base) / size;
    }
  }
}
