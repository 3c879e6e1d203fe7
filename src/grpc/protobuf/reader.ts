/**
 * Protocol Buffers, reading: the few kinds of field that are asked for here. Pure.
 *
 * Everything throws a `RangeError` that names the byte when a message ends too early or is none.
 */

/** A place in a message. */
export interface Reader {
  readonly bytes: Buffer;
  at: number;
}

/** The lowest three bits of a tag. */
const WIRE_TYPE = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;
const MAX_VARINT_BYTES = 10;

export function readerOf(bytes: Buffer): Reader {
  return { bytes, at: 0 };
}

export function hasMore(reader: Reader): boolean {
  return reader.at < reader.bytes.length;
}

/** Number of the field and its wire type, packed as protobuf packs them. */
export function readTag(reader: Reader): number {
  return readVarint(reader);
}

/** A view on the message, not a copy. */
export function readBytes(reader: Reader): Buffer {
  const length = readVarint(reader);
  const start = reader.at;
  advance(reader, length);
  return reader.bytes.subarray(start, reader.at);
}

export function readText(reader: Reader): string {
  return readBytes(reader).toString();
}

export function readBool(reader: Reader): boolean {
  return readVarint(reader) !== 0;
}

/** Decimal text, exact whatever its size. */
export function readInt64(reader: Reader): string {
  const start = reader.at;
  const value = readVarint(reader);
  return Number.isSafeInteger(value) ? String(value) : longVarint(reader.bytes.subarray(start, reader.at));
}

/** Goes past a field that nobody here asks for. */
export function skipField(reader: Reader, tag: number): void {
  switch (tag % 8) {
    case WIRE_TYPE.varint:
      readVarint(reader);
      return;
    case WIRE_TYPE.fixed64:
      advance(reader, 8);
      return;
    case WIRE_TYPE.bytes:
      advance(reader, readVarint(reader));
      return;
    case WIRE_TYPE.fixed32:
      advance(reader, 4);
      return;
    default:
      throw new RangeError(`byte ${reader.at}: no field begins with ${tag}`);
  }
}

/** Above 2^53 only roughly: enough to tell that it is so. */
function readVarint(reader: Reader): number {
  let value = 0;
  for (let count = 0; count < MAX_VARINT_BYTES; count++) {
    const byte = reader.bytes[reader.at];
    if (byte === undefined) break;
    reader.at += 1;
    value += (byte % 0x80) * 2 ** (7 * count);
    if (byte < 0x80) return value;
  }
  throw new RangeError(`byte ${reader.at}: a number does not end`);
}

/** Ten bytes carry 70 bits, of which 64 count, the highest as the sign. */
function longVarint(bytes: Buffer): string {
  const value = bytes.reduceRight((sum, byte) => (sum << 7n) + BigInt(byte % 0x80), 0n);
  return BigInt.asIntN(64, value).toString();
}

function advance(reader: Reader, count: number): void {
  if (count > reader.bytes.length - reader.at) {
    throw new RangeError(
      `byte ${reader.at}: a field of ${count} bytes, of which ${reader.bytes.length - reader.at} are there`,
    );
  }
  reader.at += count;
}
