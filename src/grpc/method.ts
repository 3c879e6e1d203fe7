/** One method of a gRPC service, with the types of its messages. */

import { errorText } from '../base/calico-error.ts';
import { CallError, STATUS } from './call-error.ts';
import type { Http2Connection } from './http2/connection.ts';
import { finishMessage, newMessage, type Writer } from './protobuf/writer.ts';
import { callUnary, type UnaryCall } from './unary-call.ts';

export interface Method<Request, Answer> {
  /** `/package.Service/Method`. */
  readonly path: string;
  readonly write: (writer: Writer, request: Request) => void;
  /** Throws a `RangeError` on bytes that are no such message. */
  readonly read: (bytes: Buffer) => Answer;
}

/** Where and how a method is called, whatever it is. */
export type CallOptions = Omit<UnaryCall, 'path' | 'message'>;

/** The answer. Rejects with a {@link CallError}, at the latest when the time is over. */
export async function callMethod<Request, Answer>(
  connection: Http2Connection,
  { path, write, read }: Method<Request, Answer>,
  request: Request,
  options: CallOptions,
): Promise<Answer> {
  const writer = newMessage();
  write(writer, request);
  const answer = await callUnary(connection, { ...options, path, message: finishMessage(writer) });
  try {
    return read(answer);
  } catch (cause) {
    throw new CallError(STATUS.internal, `the answer cannot be read: ${errorText(cause)}`, true, cause);
  }
}
