/** One message in a gRPC body: a byte that says whether it is compressed, four of length, the message. Pure. */

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
