/**
 * SHA-1 (FIPS 180-4 §6.1.2), which names interfaces on the host. Node's own is in a module that takes 3 ms to load,
 * a good part of a call; one name is hashed in 0.1 ms. Not for secrets. Pure.
 *
 *     text │ 0x80 │ zeros │ length in bits (64)        a whole number of 64-byte blocks
 */

const BLOCK_BYTES = 64;
const LENGTH_BYTES = 8;
const ROUNDS = 80;
const INITIAL_STATE = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0];

/** The SHA-1 digest of the text as UTF-8: 40 hexadecimal digits. */
export function sha1Hex(text: string): string {
  const message = pad(new TextEncoder().encode(text));
  const state = Uint32Array.from(INITIAL_STATE);
  for (let offset = 0; offset < message.byteLength; offset += BLOCK_BYTES)
    addBlock(state, expand(new DataView(message.buffer, offset, BLOCK_BYTES)));
  return Array.from(state, (word) => word.toString(16).padStart(8, '0')).join('');
}

function pad(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const blocks = Math.ceil((bytes.length + 1 + LENGTH_BYTES) / BLOCK_BYTES);
  const message = new Uint8Array(blocks * BLOCK_BYTES);
  message.set(bytes);
  message[bytes.length] = 0x80;
  new DataView(message.buffer).setBigUint64(message.length - LENGTH_BYTES, BigInt(bytes.length) * 8n);
  return message;
}

/** The words of a block, and those that follow from them. */
function expand(block: DataView): Uint32Array {
  const words = new Uint32Array(ROUNDS);
  const word = (t: number) => words[t] ?? 0;
  for (let t = 0; t < ROUNDS; t++)
    words[t] =
      t < 16 ? block.getUint32(4 * t) : rotate(word(t - 3) ^ word(t - 8) ^ word(t - 14) ^ word(t - 16), 1);
  return words;
}

function addBlock(state: Uint32Array, words: Uint32Array): void {
  let [a = 0, b = 0, c = 0, d = 0, e = 0] = state;
  words.forEach((word, t) => {
    [a, b, c, d, e] = [(rotate(a, 5) + mix(t, b, c, d) + e + word) | 0, a, rotate(b, 30), c, d];
  });
  [a, b, c, d, e].forEach((word, index) => {
    state[index] = (state[index] ?? 0) + word;
  });
}

/** The function and the constant of a round. */
function mix(t: number, b: number, c: number, d: number): number {
  if (t < 20) return ((b & c) | (~b & d)) + 0x5a827999;
  if (t < 40) return (b ^ c ^ d) + 0x6ed9eba1;
  if (t < 60) return ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc;
  return (b ^ c ^ d) + 0xca62c1d6;
}

function rotate(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}
