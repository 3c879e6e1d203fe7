/** One request and its answer on an HTTP/2 connection: what is still to be sent, what has come so far. */

import { encodeFrame, FLAG, FRAME } from './frame.ts';
import type { Headers } from './hpack.ts';
import type { PeerSettings } from './settings.ts';

export interface Response {
  readonly headers: Headers;
  readonly body: Buffer;
  /** Those after the body; the headers when there are no others. */
  readonly trailers: Headers;
}

/** Why there is no answer. */
export class RequestFailure extends Error {
  override readonly name = 'RequestFailure';
  /** `false`: the server cannot have acted on the request, since part of it never left, or it said so itself. */
  readonly wasSent: boolean;

  constructor(why: string, wasSent: boolean, cause?: unknown) {
    super(why, cause === undefined ? undefined : { cause });
    this.wasSent = wasSent;
  }
}

export interface Stream {
  readonly id: number;
  /** Header block and body not sent yet; both are gone once the whole request is, or what there is of it. */
  unsentHeaders: Buffer | undefined;
  unsentBody: Buffer | undefined;
  /** Takes the answer's body as it comes, and more of the request's may follow; `undefined`: one message each way. */
  readonly takePiece: ((piece: Buffer) => void) | undefined;
  /** Bytes of body that the server is ready for. Below zero when it changed its mind. */
  sendWindow: number;
  readonly maxBodyBytes: number;
  headers: Headers | undefined;
  readonly bodyPieces: Buffer[];
  bodyBytes: number;
  readonly resolve: (response: Response) => void;
  readonly reject: (failure: RequestFailure) => void;
}

/** Whether the server has, or may have, the whole request. */
export function isSent(stream: Stream): boolean {
  return stream.unsentBody === undefined;
}

/** The frames that may go now: headers first, then as much of the body as windows allow. */
export function takeFrames(stream: Stream, connectionWindow: number, peer: PeerSettings): readonly Buffer[] {
  const frames: Buffer[] = [];
  if (stream.unsentHeaders !== undefined) {
    frames.push(...headerFrames(stream.id, stream.unsentHeaders, peer.maxPayload));
    stream.unsentHeaders = undefined;
  }
  let window = Math.min(stream.sendWindow, connectionWindow);
  while (stream.unsentBody !== undefined && (window > 0 || stream.unsentBody.length === 0)) {
    const payload = stream.unsentBody.subarray(0, Math.min(window, peer.maxPayload));
    const isLast = payload.length === stream.unsentBody.length;
    const isEnd = isLast && stream.takePiece === undefined;
    frames.push(encodeFrame(FRAME.data, isEnd ? FLAG.endStream : 0, stream.id, payload));
    stream.unsentBody = isLast ? undefined : stream.unsentBody.subarray(payload.length);
    stream.sendWindow -= payload.length;
    window -= payload.length;
  }
  return frames;
}

function headerFrames(streamId: number, block: Buffer, maxPayload: number): readonly Buffer[] {
  const frames: Buffer[] = [];
  for (let at = 0; at < block.length; at += maxPayload) {
    const type = at === 0 ? FRAME.headers : FRAME.continuation;
    const flags = at + maxPayload >= block.length ? FLAG.endHeaders : 0;
    frames.push(encodeFrame(type, flags, streamId, block.subarray(at, at + maxPayload)));
  }
  return frames;
}

/** Takes in a header block. Gives the response when it is complete. */
export function receiveHeaders(stream: Stream, block: Headers, isEnd: boolean): Response | undefined {
  const isInterim = block.get(':status')?.startsWith('1') === true;
  if (isEnd) return responseOf(stream, block);
  if (stream.headers !== undefined) throw new RangeError('headers in the middle of an answer');
  if (!isInterim) stream.headers = block;
  return undefined;
}

/** Takes in a piece of the body. Gives the response when it is complete; the limit is the caller's to check. */
export function receiveBody(stream: Stream, piece: Buffer, isEnd: boolean): Response | undefined {
  if (stream.takePiece === undefined) {
    stream.bodyPieces.push(piece);
    stream.bodyBytes += piece.length;
  } else {
    stream.takePiece(piece);
  }
  return isEnd ? responseOf(stream, stream.headers ?? new Map()) : undefined;
}

function responseOf(stream: Stream, trailers: Headers): Response {
  return {
    headers: stream.headers ?? trailers,
    body: Buffer.concat(stream.bodyPieces, stream.bodyBytes),
    trailers,
  };
}
