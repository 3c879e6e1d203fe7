/** HTTP/2 frames (RFC 9113 §4.1): nine bytes of header, then the payload. Pure. */

export const FRAME = {
  data: 0,
  headers: 1,
  resetStream: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goAway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

export const FLAG = { acknowledged: 1, endStream: 1, endHeaders: 4, padded: 8, priority: 0x20 } as const;

export interface Frame {
  readonly type: number;
  readonly flags: number;
  /** 0: the connection itself. */
  readonly streamId: number;
  readonly payload: Buffer;
}

const HEADER_BYTES = 9;
const STREAM_ID = 0x7fffffff;
/** What either side may send unless the other allows more. */
export const DEFAULT_MAX_PAYLOAD = 16_384;

export function encodeFrame(type: number, flags: number, streamId: number, payload: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(HEADER_BYTES + payload.length);
  frame.writeUIntBE(payload.length, 0, 3);
  frame.writeUInt8(type, 3);
  frame.writeUInt8(flags, 4);
  frame.writeUInt32BE(streamId, 5);
  frame.set(payload, HEADER_BYTES);
  return frame;
}

/** A frame whose payload is one number: WINDOW_UPDATE, RST_STREAM. */
export function encodeNumberFrame(type: number, streamId: number, number: number): Buffer {
  const payload = Buffer.allocUnsafe(4);
  payload.writeUInt32BE(number);
  return encodeFrame(type, 0, streamId, payload);
}

/**
 * Cuts what arrives into frames; what is left of one waits for the next piece. The first must be SETTINGS, as every
 * HTTP/2 server's is: a `RangeError` tells of a server that speaks something else, or of a frame that is too long.
 */
export function createFrameReader(): (piece: Buffer) => readonly Frame[] {
  let rest: Buffer = Buffer.alloc(0);
  let isFirst = true;
  return (piece) => {
    rest = rest.length === 0 ? piece : Buffer.concat([rest, piece]);
    const frames: Frame[] = [];
    for (let frame = firstFrame(rest, isFirst); frame !== undefined; frame = firstFrame(rest, isFirst)) {
      frames.push(frame);
      rest = rest.subarray(HEADER_BYTES + frame.payload.length);
      isFirst = false;
    }
    return frames;
  };
}

/** What a server says, or does not say, that expects another beginning. */
export const OTHER_PROTOCOL = 'not HTTP/2, or http:// and https:// mixed up';

function firstFrame(bytes: Buffer, mustBeSettings: boolean): Frame | undefined {
  // The length of a first frame of settings fits into its last two bytes, and other protocols begin with no zero.
  if (mustBeSettings && bytes.length > 0 && bytes[0] !== 0) throw new RangeError(OTHER_PROTOCOL);
  if (bytes.length < HEADER_BYTES) return undefined;
  const end = HEADER_BYTES + bytes.readUIntBE(0, 3);
  const type = bytes.readUInt8(3);
  if (mustBeSettings && (type !== FRAME.settings || bytes.readUInt32BE(5) !== 0)) {
    throw new RangeError(OTHER_PROTOCOL);
  }
  if (end > HEADER_BYTES + DEFAULT_MAX_PAYLOAD) {
    throw new RangeError(
      `a frame of ${end - HEADER_BYTES} bytes, more than the ${DEFAULT_MAX_PAYLOAD} allowed`,
    );
  }
  if (bytes.length < end) return undefined;
  return {
    type,
    flags: bytes.readUInt8(4),
    streamId: bytes.readUInt32BE(5) & STREAM_ID,
    payload: bytes.subarray(HEADER_BYTES, end),
  };
}

/** The payload of DATA and HEADERS without padding and priority (RFC 9113 §6.1, §6.2). */
export function contentOf({ type, flags, payload }: Frame): Buffer {
  let start = 0;
  let end = payload.length;
  if (flags & FLAG.padded) {
    end -= payload[0] ?? 0;
    start += 1;
  }
  if (type === FRAME.headers && flags & FLAG.priority) start += 5;
  if (start > end) throw new RangeError('a frame is longer padded than it is');
  return payload.subarray(start, end);
}
