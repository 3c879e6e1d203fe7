/**
 * The frame of every netlink message. All integers are in host byte order, little-endian on the machines
 * this program is built for; only addresses inside attributes are in network order. Pure.
 *
 * ```
 * 0        4      6       8          12        16
 * | length | type | flags | sequence | port id | payload … | padding to a multiple of 4
 * ```
 */

export const NLM_F_REQUEST = 0x01;
export const NLM_F_ACK = 0x04;
/** The kernel's tables changed during a dump, so the answer may be torn. */
export const NLM_F_DUMP_INTR = 0x10;
export const NLM_F_REPLACE = 0x100;
export const NLM_F_EXCL = 0x200;
export const NLM_F_CREATE = 0x400;
/** Behind what is there already. */
export const NLM_F_APPEND = 0x800;
export const NLM_F_DUMP = 0x300;
/** The error reply repeats only the header of the request. */
export const NLM_F_CAPPED = 0x100;
/** The error reply ends with attributes that explain it. */
export const NLM_F_ACK_TLVS = 0x200;

/** Answered with nothing but an acknowledgement. */
export const NLMSG_NOOP = 1;
export const NLMSG_ERROR = 2;
export const NLMSG_DONE = 3;

export const HEADER_LENGTH = 16;

/** What a caller asks for; the socket adds the sequence number and the flags of the exchange. */
export interface NetlinkRequest {
  /** Name for error texts: `RTM_NEWLINK`. */
  readonly name: string;
  readonly type: number;
  readonly flags: number;
  readonly payload: Uint8Array;
}

export interface NetlinkMessage {
  readonly type: number;
  readonly flags: number;
  readonly sequence: number;
  /** In an answer our own socket's number, in a notice that of the socket that asked for the change; `undefined`: the kernel's. */
  readonly portId?: number | undefined;
  readonly payload: Buffer;
}

/** Rounds a length up to the 4 bytes netlink aligns everything to. */
export function aligned(length: number): number {
  return Math.ceil(length / 4) * 4;
}

/** One message with its header and padding. */
export function encodeMessage(message: Omit<NetlinkMessage, 'payload'> & { payload: Uint8Array }): Buffer {
  const length = HEADER_LENGTH + message.payload.length;
  const bytes = Buffer.alloc(aligned(length));
  bytes.writeUInt32LE(length, 0);
  bytes.writeUInt16LE(message.type, 4);
  bytes.writeUInt16LE(message.flags, 6);
  bytes.writeUInt32LE(message.sequence, 8);
  bytes.set(message.payload, HEADER_LENGTH);
  return bytes;
}

/** The messages of one datagram; a broken rest is left out. */
export function decodeMessages(bytes: Buffer): readonly NetlinkMessage[] {
  const messages: NetlinkMessage[] = [];
  let offset = 0;
  while (offset + HEADER_LENGTH <= bytes.length) {
    const length = bytes.readUInt32LE(offset);
    if (length < HEADER_LENGTH || offset + length > bytes.length) break;
    messages.push({
      type: bytes.readUInt16LE(offset + 4),
      flags: bytes.readUInt16LE(offset + 6),
      sequence: bytes.readUInt32LE(offset + 8),
      portId: bytes.readUInt32LE(offset + 12) || undefined,
      payload: bytes.subarray(offset + HEADER_LENGTH, offset + length),
    });
    offset += aligned(length);
  }
  return messages;
}
