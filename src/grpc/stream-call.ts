/** A gRPC call with messages both ways for as long as it is open, as gRPC over HTTP/2 has it (https://grpc.io). */

import { CallError, STATUS } from './call-error.ts';
import { type CallTarget, callFields } from './call-fields.ts';
import { statusError } from './call-status.ts';
import type { Http2Connection } from './http2/connection.ts';
import { RequestFailure } from './http2/stream.ts';
import { createMessageReader, frameMessage } from './message-frame.ts';

export interface StreamCall extends CallTarget {
  /** With what it begins. */
  readonly messages: readonly Buffer[];
  readonly maxMessageBytes: number;
  /** What it throws ends the connection: then `ended` rejects with an error whose cause it is. */
  readonly onMessage: (message: Buffer) => void;
}

export interface OpenCall {
  readonly send: (message: Buffer) => void;
  /** Ends it: `ended` rejects. */
  readonly cancel: (why: string) => void;
  /** Resolves when the server ends it in good order, else rejects with a {@link CallError}. */
  readonly ended: Promise<void>;
}

/** Returns at once: what is sent waits until the connection stands. */
export function callStream(connection: Http2Connection, call: StreamCall): OpenCall {
  const readMessages = createMessageReader(call.maxMessageBytes);
  const { response, send, cancel } = connection.request({
    fields: callFields(call),
    body: Buffer.concat(call.messages.map(frameMessage)),
    maxResponseBytes: 0,
    takePiece: (piece) => {
      for (const message of readMessages(piece)) call.onMessage(message);
    },
  });
  const ended = response.then(
    (end) => {
      const error = statusError(end);
      if (error !== undefined) throw error;
    },
    (error) => {
      if (!(error instanceof RequestFailure)) throw error;
      throw new CallError(STATUS.unavailable, error.message, error.wasSent, error);
    },
  );
  return { send: (message) => send(frameMessage(message)), cancel, ended };
}
