/**
 * Netlink attributes: type, length, value. A value may itself be a list of attributes. Pure.
 *
 * ```
 * 0        2      4
 * | length | type | value … | padding to a multiple of 4
 * ```
 */

import { aligned } from './header.ts';

const HEADER_LENGTH = 4;
/** The two highest bits of a type say "nested" and "network byte order"; they are not part of it. */
const TYPE_MASK = 0x3fff;

/** One attribute, encoded. */
export function attribute(type: number, value: Uint8Array): Buffer {
  const length = HEADER_LENGTH + value.length;
  const bytes = Buffer.alloc(aligned(length));
  bytes.writeUInt16LE(length, 0);
  bytes.writeUInt16LE(type, 2);
  bytes.set(value, HEADER_LENGTH);
  return bytes;
}

/** An attribute whose value is a list of attributes. */
export function nested(type: number, attributes: readonly Uint8Array[]): Buffer {
  return attribute(type, Buffer.concat(attributes));
}

export function attributeU32(type: number, value: number): Buffer {
  return attribute(type, u32(value));
}

/** Zero-terminated text. */
export function attributeText(type: number, text: string): Buffer {
  return attribute(type, Buffer.from(`${text}\0`));
}

/** The attributes of a list by type; of a type that occurs twice, the last. A broken rest is left out. */
export function decodeAttributes(bytes: Buffer): ReadonlyMap<number, Buffer> {
  const attributes = new Map<number, Buffer>();
  eachAttribute(bytes, (type, value) => attributes.set(type, value));
  return attributes;
}

/** The values of a list whose attributes are all of one type, in order. A broken rest is left out. */
export function decodeList(bytes: Buffer): readonly Buffer[] {
  const values: Buffer[] = [];
  eachAttribute(bytes, (_type, value) => values.push(value));
  return values;
}

function eachAttribute(bytes: Buffer, take: (type: number, value: Buffer) => void): void {
  let offset = 0;
  while (offset + HEADER_LENGTH <= bytes.length) {
    const length = bytes.readUInt16LE(offset);
    if (length < HEADER_LENGTH || offset + length > bytes.length) return;
    take(bytes.readUInt16LE(offset + 2) & TYPE_MASK, bytes.subarray(offset + HEADER_LENGTH, offset + length));
    offset += aligned(length);
  }
}

/** Four bytes, host order. */
export function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value >>> 0);
  return bytes;
}

/** The number in a four-byte value; `undefined` when the attribute is absent or has another size. */
export function readU32(value: Buffer | undefined): number | undefined {
  return value?.length === 4 ? value.readUInt32LE(0) : undefined;
}

/** Like {@link readU32}, signed. */
export function readS32(value: Buffer | undefined): number | undefined {
  return value?.length === 4 ? value.readInt32LE(0) : undefined;
}

/** Text up to its terminating zero; `undefined` when the attribute is absent. */
export function readText(value: Buffer | undefined): string | undefined {
  if (value === undefined) return undefined;
  const end = value.indexOf(0);
  return value.toString('utf8', 0, end < 0 ? value.length : end);
}
