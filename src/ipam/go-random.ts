/**
 * Go's `math/rand` and `big.Int.Rand`, number for number. Calico draws from them where a node begins its search
 * for a block; drawing the same lets both kinds of plugin look in the same place first. Pure.
 */

import { GO_RANDOM_STATE } from './go-random-state.ts';

const LENGTH = 607;
const TAP = 273;
const WORD = (1n << 64n) - 1n;
const SEED_MODULUS = 2 ** 31 - 1;
/** What a seed of zero stands for. */
const ZERO_SEED = 89482311;
const WARM_UP = 20;

/** Draws one integer in [0, `below`) from a generator freshly seeded with `seed`, a 32-bit number. */
export function goRandomBelow(seed: number, below: bigint): bigint {
  const nextWord = goUint64s(seed);
  const uint32 = () => (nextWord() & (WORD >> 1n)) >> 31n;
  const bits = BigInt(below.toString(2).length);
  const words = Number((bits + 63n) / 64n);
  for (;;) {
    let drawn = 0n;
    for (let i = 0n; i < words; i++) {
      const low = uint32();
      drawn |= (low | (uint32() << 32n)) << (64n * i);
    }
    drawn &= (1n << bits) - 1n;
    if (drawn < below) return drawn;
  }
}

function goUint64s(seed: number): () => bigint {
  const state = seededState(seed);
  let tap = 0;
  let feed = LENGTH - TAP;
  return () => {
    tap = (tap + LENGTH - 1) % LENGTH;
    feed = (feed + LENGTH - 1) % LENGTH;
    const sum = ((state[feed] ?? 0n) + (state[tap] ?? 0n)) & WORD;
    state[feed] = sum;
    return sum;
  };
}

function seededState(seed: number): BigUint64Array {
  const start = Uint8Array.fromBase64(GO_RANDOM_STATE);
  const words = new DataView(start.buffer, start.byteOffset);
  let x = seed % SEED_MODULUS || ZERO_SEED;
  const next = () => {
    // 48271 × x stays far below 2^53.
    x = (48271 * x) % SEED_MODULUS;
    return BigInt(x);
  };
  for (let i = 0; i < WARM_UP; i++) next();
  return BigUint64Array.from({ length: LENGTH }, (_unused, i) => {
    const mixed = (next() << 40n) ^ (next() << 20n) ^ next();
    return (mixed ^ words.getBigUint64(i * 8, true)) & WORD;
  });
}
