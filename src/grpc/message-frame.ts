/** Messages in a gRPC body: a byte that says whether it is compressed, four of length, the message. Pure. */

const PREFIX_BYTES = 5;

export function frameMessage(message: Buffer): Buffer {
  const prefix = Buffer.alloc(PREFIX_BYTES);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

/** The one message of the body. Throws a `RangeError` when there is none, several, or a compressed one. */
export function unframeMessage(body: Buffer): Buffer {
  if (body.length < PREFIX_BYTES) throw new RangeError(`an answer of ${body.length} bytes without a message`);
  if (body[0] !== 0) throw new RangeError('a compressed message, which was not asked for');
  const length = body.readUInt32BE(1);
  const message = body.subarray(PREFIX_BYTES);
  if (message.length === length) return message;
  throw new RangeError(`${message.length} bytes of a message of ${length}`);
}

/**
 * Cuts a body that goes on into its messages; what is left of one waits for the next piece. Throws a `RangeError` on a
 * compressed message and on one that is longer than allowed.
 */
export function createMessageReader(maxBytes: number): (piece: Buffer) => readonly Buffer[] {
  let pieces: Buffer[] = [];
  let byteLength = 0;
  let needed = PREFIX_BYTES;
  return (piece) => {
    pieces.push(piece);
    byteLength += piece.length;
    if (byteLength < needed) return [];
    let rest = pieces.length === 1 ? piece : Buffer.concat(pieces, byteLength);
    const messages: Buffer[] = [];
    for (needed = frameLength(rest, maxBytes); rest.length >= needed; needed = frameLength(rest, maxBytes)) {
      messages.push(rest.subarray(PREFIX_BYTES, needed));
      rest = rest.subarray(needed);
    }
    pieces = rest.length === 0 ? [] : [rest];
    byteLength = rest.length;
    return messages;
  };
}

/** Bytes of the frame that begins here, or of its prefix while that is not there. */
function frameLength(bytes: Buffer, maxBytes: number): number {
  if (bytes.length < PREFIX_BYTES) return PREFIX_BYTES;
  if (bytes[0] !== 0) throw new RangeError('a compressed message, which was not asked for');
  const length = bytes.readUInt32BE(1);
  if (length <= maxBytes) return PREFIX_BYTES + length;
  throw new RangeError(`a message of ${length} bytes, more than ${maxBytes}`);
}
