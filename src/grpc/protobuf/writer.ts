/**
 * Protocol Buffers, writing: the few kinds of field that are sent from here. Pure.
 *
 * A tag is written in octal in the generated code: its last digit is the wire type, what is before it the number of
 * the field, as protobuf itself packs them.
 */

/** A message being written: pieces in order, values not copied until {@link finishMessage}. */
export interface Writer {
  readonly pieces: Uint8Array[];
  byteLength: number;
}

const TRUE = Uint8Array.of(1);
const FALSE = Uint8Array.of(0);

export function newMessage(): Writer {
  return { pieces: [], byteLength: 0 };
}

export function finishMessage(writer: Writer): Buffer {
  return Buffer.concat(writer.pieces, writer.byteLength);
}

export function writeBytes(writer: Writer, tag: number, value: Uint8Array): void {
  append(writer, varints(tag, value.length));
  append(writer, value);
}

export function writeText(writer: Writer, tag: number, value: string): void {
  writeBytes(writer, tag, Buffer.from(value));
}

export function writeBool(writer: Writer, tag: number, value: boolean): void {
  append(writer, varints(tag));
  append(writer, value ? TRUE : FALSE);
}

/** A number, or the decimal text of one that a number cannot hold. Throws a `SyntaxError` on other text. */
export function writeInt64(writer: Writer, tag: number, value: string | number): void {
  const number = Number(value);
  append(writer, varints(tag));
  append(writer, Number.isSafeInteger(number) && number >= 0 ? varints(number) : longVarint(BigInt(value)));
}

/** A message inside a message, written by `write`. */
export function writeMessage<T>(
  writer: Writer,
  tag: number,
  message: T,
  write: (writer: Writer, message: T) => void,
): void {
  const inner = newMessage();
  write(inner, message);
  append(writer, varints(tag, inner.byteLength));
  writer.pieces.push(...inner.pieces);
  writer.byteLength += inner.byteLength;
}

/** A map from text to text: one message of a key and a value for each entry. */
export function writeTextMap(writer: Writer, tag: number, map: Readonly<Record<string, string>>): void {
  for (const entry of Object.entries(map)) writeMessage(writer, tag, entry, writeTextEntry);
}

function writeTextEntry(writer: Writer, [key, value]: readonly [string, string]): void {
  writeText(writer, 0o12, key);
  writeText(writer, 0o22, value);
}

function append(writer: Writer, piece: Uint8Array): void {
  writer.pieces.push(piece);
  writer.byteLength += piece.length;
}

/** The numbers one after the other: seven bits a byte, lowest first; the top bit says that more follow. */
function varints(first: number, second?: number): Uint8Array {
  const bytes: number[] = [];
  pushVarint(bytes, first);
  if (second !== undefined) pushVarint(bytes, second);
  return new Uint8Array(bytes);
}

function pushVarint(bytes: number[], number: number): void {
  let rest = number;
  for (; rest > 0x7f; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) + 0x80);
  bytes.push(rest);
}

/** Negative numbers are sent as the unsigned ones of the same 64 bits. */
function longVarint(value: bigint): Uint8Array {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, value);
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) + 0x80);
  bytes.push(Number(rest));
  return new Uint8Array(bytes);
}
