/** Header blocks that come in pieces: one HEADERS frame and any number of CONTINUATION frames (RFC 9113 §4.3). */

import { contentOf, FLAG, FRAME, type Frame } from './frame.ts';
import { decodeHeaders, type Headers } from './hpack.ts';

export interface HeaderBlock {
  readonly streamId: number;
  readonly headers: Headers;
  /** Whether nothing follows on the stream. */
  readonly isEnd: boolean;
}

/** Many times what any answer has. */
const MAX_BYTES = 1 << 16;

/**
 * Takes every frame of a connection in turn and gives a block when its last piece has come. Throws a `RangeError` when
 * pieces do not follow each other, or are nonsense, or too many.
 */
export function createHeaderReader(): (frame: Frame) => HeaderBlock | undefined {
  let first: Frame | undefined;
  let pieces: Buffer[] = [];
  let byteLength = 0;
  return (frame) => {
    if ((first !== undefined) !== (frame.type === FRAME.continuation)) {
      throw new RangeError('a header block is not continued, or continued out of nothing');
    }
    if (frame.type !== FRAME.headers && first === undefined) return undefined;
    first ??= frame;
    const piece = frame.type === FRAME.headers ? contentOf(frame) : frame.payload;
    pieces.push(piece);
    byteLength += piece.length;
    if (byteLength > MAX_BYTES) throw new RangeError(`more than ${MAX_BYTES} bytes of headers`);
    if (!(frame.flags & FLAG.endHeaders)) return undefined;
    const { streamId, flags } = first;
    const headers = decodeHeaders(Buffer.concat(pieces));
    first = undefined;
    pieces = [];
    byteLength = 0;
    return { streamId, headers, isEnd: (flags & FLAG.endStream) !== 0 };
  };
}
