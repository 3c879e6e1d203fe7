/**
 * One HTTP/2 connection (RFC 9113), as much of it as gRPC needs: one message each way, or streams of them. `node:http2` does the
 * same and more, but loading and warming it takes as long as starting Node.js does: too long for a process that asks
 * three things and ends.
 */

import type { Socket } from 'node:net';
import { errorText } from '../../base/calico-error.ts';
import {
  contentOf,
  createFrameReader,
  encodeFrame,
  encodeNumberFrame,
  FLAG,
  FRAME,
  type Frame,
  OTHER_PROTOCOL,
} from './frame.ts';
import { createHeaderReader, type HeaderBlock } from './header-block.ts';
import { encodeHeaders } from './hpack.ts';
import { DEFAULT_PEER, DEFAULT_WINDOW, MAX_WINDOW, ownSettings, withSettings } from './settings.ts';
import {
  isSent,
  RequestFailure,
  type Response,
  receiveBody,
  receiveHeaders,
  type Stream,
  takeFrames,
} from './stream.ts';

export interface Request {
  readonly fields: readonly (readonly [name: string, value: string])[];
  readonly body: Buffer;
  readonly maxResponseBytes: number;
  /** Takes the answer's body as it comes, however much; more of the request's may be sent. What it throws ends the connection. */
  readonly takePiece?: ((piece: Buffer) => void) | undefined;
}

export interface PendingResponse {
  /** Rejects with a {@link RequestFailure}. */
  readonly response: Promise<Response>;
  /** More of the body, of a request with `takePiece`, while it is not answered. */
  readonly send: (body: Buffer) => void;
  /** Gives the request up, if it is not answered yet. */
  readonly cancel: (why: string) => void;
}

const CLOSED = 'the connection was closed';
const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
/** Reasons to end a stream (RFC 9113 §7). */
const CODE = { refusedStream: 7, cancel: 8 } as const;
/** How much may have come before the server is told that it may send as much again. */
const REPLENISH_BYTES = 1 << 20;

/** Owns its socket: whoever makes a connection ends it with `retire` or `close`. */
export class Http2Connection {
  readonly #socket: Socket;
  readonly #readFrames = createFrameReader();
  readonly #readHeaders = createHeaderReader();
  /** In the order they were asked for. */
  readonly #streams = new Map<number, Stream>();
  #nextStreamId = 1;
  #peer = DEFAULT_PEER;
  #sendWindow = DEFAULT_WINDOW;
  /** Received since the server was last told to go on. */
  #unreplenished = 0;
  /** Whether the server has spoken. */
  #hasHeard = false;
  /** Whether requests may leave. */
  #isOpen = false;
  /** Whether new requests are refused. */
  #isRetired = false;
  #outgoing: Buffer[] = [];
  /** Beside headers. What is not here is to be ignored, as the RFC says of frames to come. */
  readonly #handlers: Readonly<Record<number, (frame: Frame) => void>> = {
    [FRAME.data]: (frame) => this.#handleData(frame),
    [FRAME.resetStream]: (frame) => this.#handleReset(frame),
    [FRAME.settings]: (frame) => this.#handleSettings(frame),
    [FRAME.pushPromise]: () => refusePush(),
    [FRAME.ping]: (frame) => this.#handlePing(frame),
    [FRAME.goAway]: (frame) => this.#handleGoAway(frame),
    [FRAME.windowUpdate]: (frame) => this.#handleWindowUpdate(frame),
  };

  /**
   * `opens`: the socket's event that means the connection stands. With TLS nothing is asked before the server has
   * spoken: TLS 1.3 lets it refuse our certificate after the connection stands.
   */
  constructor(socket: Socket, opens: 'connect' | 'secureConnect') {
    this.#socket = socket;
    socket.on(opens, () => this.#begin(opens === 'connect'));
    socket.on('data', (piece: Buffer) => this.#receive(piece));
    socket.on('error', (error) => this.#fail(errorText(error), error));
    socket.on('close', () =>
      this.#fail(this.#hasHeard ? CLOSED : `${CLOSED} before an answer: ${OTHER_PROTOCOL}`),
    );
  }

  /** Whether it takes requests. */
  get isUsable(): boolean {
    return !this.#isRetired;
  }

  /** Sends a request as soon as connection and windows allow. */
  request({ fields, body, maxResponseBytes, takePiece }: Request): PendingResponse {
    const { promise, resolve, reject } = Promise.withResolvers<Response>();
    const stream: Stream = {
      id: this.#nextStreamId,
      unsentHeaders: encodeHeaders(fields),
      unsentBody: body,
      takePiece,
      sendWindow: this.#peer.initialWindow,
      maxBodyBytes: maxResponseBytes,
      headers: undefined,
      bodyPieces: [],
      bodyBytes: 0,
      resolve,
      reject,
    };
    this.#nextStreamId += 2;
    this.#streams.set(stream.id, stream);
    if (this.#isRetired) this.#reject(stream, 'the connection is closing', true);
    this.#send();
    return {
      response: promise,
      send: (more) => this.#sendMore(stream, more),
      cancel: (why) => this.#cancel(stream, why),
    };
  }

  /** Takes no new requests and ends with the last one under way. */
  retire(): void {
    this.#isRetired = true;
    if (this.#streams.size === 0) this.#socket.destroy();
  }

  /** Ends now. */
  close(why: string): void {
    this.#fail(why);
  }

  #begin(isOpen: boolean): void {
    this.#outgoing.push(
      Buffer.from(PREFACE),
      encodeFrame(FRAME.settings, 0, 0, ownSettings()),
      encodeNumberFrame(FRAME.windowUpdate, 0, MAX_WINDOW - DEFAULT_WINDOW),
    );
    this.#isOpen = isOpen;
    this.#send();
  }

  /** One write for everything that may leave now. */
  #send(): void {
    if (this.#isOpen) {
      for (const stream of this.#streams.values()) {
        if (isSent(stream)) continue;
        const windowBefore = stream.sendWindow;
        this.#outgoing.push(...takeFrames(stream, this.#sendWindow, this.#peer));
        this.#sendWindow -= windowBefore - stream.sendWindow;
      }
    }
    if (this.#outgoing.length === 0 || this.#socket.destroyed) return;
    this.#socket.write(Buffer.concat(this.#outgoing));
    this.#outgoing = [];
  }

  #receive(piece: Buffer): void {
    try {
      for (const frame of this.#readFrames(piece)) this.#handle(frame);
      this.#send();
    } catch (error) {
      this.#fail(errorText(error), error);
    }
  }

  #handle(frame: Frame): void {
    const block = this.#readHeaders(frame);
    if (block !== undefined) this.#handleHeaders(block);
    this.#handlers[frame.type]?.(frame);
  }

  #handleData(frame: Frame): void {
    this.#replenish(frame.payload.length);
    const stream = this.#streams.get(frame.streamId);
    if (stream === undefined) return;
    const response = receiveBody(stream, contentOf(frame), (frame.flags & FLAG.endStream) !== 0);
    if (stream.bodyBytes > stream.maxBodyBytes) {
      this.#cancel(stream, `the answer is larger than ${stream.maxBodyBytes} bytes`);
    } else if (response !== undefined) {
      this.#finish(stream, response);
    }
  }

  #replenish(byteLength: number): void {
    this.#unreplenished += byteLength;
    if (this.#unreplenished < REPLENISH_BYTES) return;
    this.#outgoing.push(encodeNumberFrame(FRAME.windowUpdate, 0, this.#unreplenished));
    this.#unreplenished = 0;
  }

  #handleHeaders({ streamId, headers, isEnd }: HeaderBlock): void {
    const stream = this.#streams.get(streamId);
    const response = stream && receiveHeaders(stream, headers, isEnd);
    if (stream !== undefined && response !== undefined) this.#finish(stream, response);
  }

  #handleReset({ streamId, payload }: Frame): void {
    const stream = this.#streams.get(streamId);
    if (stream === undefined) return;
    const code = payload.readUInt32BE();
    this.#reject(stream, `the server reset the request with code ${code}`, code === CODE.refusedStream);
  }

  #handleSettings({ flags, payload }: Frame): void {
    if (flags & FLAG.acknowledged) return;
    const { initialWindow } = this.#peer;
    this.#peer = withSettings(this.#peer, payload);
    for (const stream of this.#streams.values())
      stream.sendWindow += this.#peer.initialWindow - initialWindow;
    this.#outgoing.push(encodeFrame(FRAME.settings, FLAG.acknowledged, 0, Buffer.alloc(0)));
    this.#hasHeard = true;
    this.#isOpen = true;
  }

  #handlePing({ flags, payload }: Frame): void {
    if (flags & FLAG.acknowledged) return;
    this.#outgoing.push(encodeFrame(FRAME.ping, FLAG.acknowledged, 0, payload));
  }

  #handleGoAway({ payload }: Frame): void {
    const lastStreamId = payload.readUInt32BE() & MAX_WINDOW;
    this.#isRetired = true;
    const why = `the server is closing the connection (code ${payload.readUInt32BE(4)})`;
    for (const stream of [...this.#streams.values()]) {
      if (stream.id > lastStreamId) this.#reject(stream, why, true);
    }
  }

  #handleWindowUpdate({ streamId, payload }: Frame): void {
    const increment = payload.readUInt32BE() & MAX_WINDOW;
    if (streamId === 0) {
      this.#sendWindow += increment;
      return;
    }
    const stream = this.#streams.get(streamId);
    if (stream !== undefined) stream.sendWindow += increment;
  }

  #sendMore(stream: Stream, body: Buffer): void {
    if (!this.#streams.has(stream.id) || stream.takePiece === undefined) return;
    stream.unsentBody = stream.unsentBody === undefined ? body : Buffer.concat([stream.unsentBody, body]);
    this.#send();
  }

  #cancel(stream: Stream, why: string): void {
    if (!this.#streams.has(stream.id)) return;
    if (stream.unsentHeaders === undefined) this.#outgoing.push(resetFrame(stream.id));
    this.#reject(stream, why, false);
    this.#send();
  }

  #finish(stream: Stream, response: Response): void {
    // A server may answer before it has read the whole request.
    if (!isSent(stream) || stream.takePiece !== undefined) this.#outgoing.push(resetFrame(stream.id));
    stream.resolve(response);
    this.#remove(stream);
  }

  #reject(stream: Stream, why: string, isUntouched: boolean): void {
    stream.reject(new RequestFailure(why, isSent(stream) && !isUntouched));
    this.#remove(stream);
  }

  #remove(stream: Stream): void {
    this.#streams.delete(stream.id);
    if (this.#isRetired && this.#streams.size === 0) this.#socket.destroy();
  }

  #fail(why: string, cause?: unknown): void {
    this.#isRetired = true;
    for (const stream of this.#streams.values()) {
      stream.reject(new RequestFailure(why, isSent(stream), cause));
    }
    this.#streams.clear();
    this.#socket.destroy();
  }
}

function refusePush(): never {
  throw new RangeError('the server sends what nobody asked for');
}

function resetFrame(streamId: number): Buffer {
  return encodeNumberFrame(FRAME.resetStream, streamId, CODE.cancel);
}
