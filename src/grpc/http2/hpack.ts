/**
 * Header fields as HTTP/2 sends them (RFC 7541), without the tables that both ends would have to keep: we number no
 * field, and tell the server that it has no room to. Pure.
 */

import { decodeHuffman } from './huffman.ts';
import { staticField } from './static-table.ts';

/** Names in lower case; a name that came twice has its last value. */
export type Headers = ReadonlyMap<string, string>;

/** "Literal, never indexed" (§6.2.3): proxies must not number it either, and a token is never kept in a table. */
const NEVER_INDEXED = 0x10;
/** A length of 127 or more does not fit into its seven bits. */
const LENGTH_MAX = 0x7f;
/** Numbers of four bytes after the first are beyond anything that fits into a frame. */
const MAX_NUMBER_BYTES = 4;

export function encodeHeaders(fields: readonly (readonly [name: string, value: string])[]): Buffer {
  return Buffer.concat(
    fields.flatMap(([name, value]) => [
      Uint8Array.of(NEVER_INDEXED),
      ...encodeText(name),
      ...encodeText(value),
    ]),
  );
}

function encodeText(text: string): readonly Uint8Array[] {
  const bytes = Buffer.from(text, 'latin1');
  const lengthBytes: number[] = [];
  let rest = bytes.length;
  if (rest < LENGTH_MAX) return [Uint8Array.of(rest), bytes];
  lengthBytes.push(LENGTH_MAX);
  for (rest -= LENGTH_MAX; rest > 0x7f; rest >>= 7) lengthBytes.push((rest & 0x7f) | 0x80);
  return [Uint8Array.of(...lengthBytes, rest), bytes];
}

/** A place in a header block. */
interface Place {
  readonly block: Buffer;
  at: number;
}

/** Throws a `RangeError` when the block breaks the rules, or numbers fields that we gave no room to. */
export function decodeHeaders(block: Buffer): Headers {
  const headers = new Map<string, string>();
  const place = { block, at: 0 };
  while (place.at < block.length) {
    const [name, value] = readField(place) ?? [];
    if (name !== undefined && value !== undefined) headers.set(name, value);
  }
  return headers;
}

/** One field of any of the forms of §6; `undefined` for a new size of the table, which may only be none. */
function readField(place: Place): readonly [name: string, value: string] | undefined {
  const form = place.block[place.at] ?? 0;
  if (form & 0x80) return knownField(readNumber(place, 7));
  if ((form & 0xe0) === 0x20) {
    if (readNumber(place, 5) > 0) throw new RangeError('the server makes a header table larger than allowed');
    return undefined;
  }
  const index = readNumber(place, form & 0x40 ? 6 : 4);
  const name = index === 0 ? readText(place) : knownField(index)[0];
  return [name, readText(place)];
}

function knownField(index: number): readonly [name: string, value: string] {
  const field = staticField(index);
  if (field === undefined) throw new RangeError(`header field number ${index}, which nobody defined`);
  return field;
}

/** A number that begins in the lowest bits of a byte (§5.1). */
function readNumber(place: Place, bits: number): number {
  const max = 2 ** bits - 1;
  let number = readByte(place) & max;
  if (number < max) return number;
  for (let count = 0; count < MAX_NUMBER_BYTES; count++) {
    const byte = readByte(place);
    number += (byte & 0x7f) * 2 ** (7 * count);
    if (byte < 0x80) return number;
  }
  throw new RangeError('a number in a header is too large');
}

function readText(place: Place): string {
  const isCoded = ((place.block[place.at] ?? 0) & 0x80) !== 0;
  const length = readNumber(place, 7);
  const start = place.at;
  if (length > place.block.length - start) throw new RangeError('a header text ends too early');
  place.at += length;
  const bytes = place.block.subarray(start, place.at);
  return (isCoded ? decodeHuffman(bytes) : bytes).toString('latin1');
}

function readByte(place: Place): number {
  const byte = place.block[place.at];
  if (byte === undefined) throw new RangeError('a header ends too early');
  place.at += 1;
  return byte;
}
