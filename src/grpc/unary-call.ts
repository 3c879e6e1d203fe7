/** A gRPC call with one message each way, as gRPC over HTTP/2 has it (https://grpc.io). */

import { errorText } from '../base/calico-error.ts';
import { type Interruption, UNINTERRUPTED } from '../base/interruption.ts';
import { CallError, STATUS } from './call-error.ts';
import { type CallTarget, callFields, type Metadata } from './call-fields.ts';
import { statusError } from './call-status.ts';
import type { Http2Connection } from './http2/connection.ts';
import { RequestFailure, type Response } from './http2/stream.ts';
import { frameMessage, unframeMessage } from './message-frame.ts';

export type { Metadata };

export interface UnaryCall extends CallTarget {
  readonly message: Buffer;
  readonly timeoutMs: number;
  /** Ends the call as time does. */
  readonly interruption?: Interruption;
  readonly maxResponseBytes: number;
}

/** The message that answers. Rejects with a {@link CallError}, at the latest when the time is over. */
export async function callUnary(connection: Http2Connection, call: UnaryCall): Promise<Buffer> {
  const timeoutMs = Math.max(1, Math.ceil(call.timeoutMs));
  const { response, cancel } = connection.request({
    fields: callFields(call, timeoutMs),
    body: frameMessage(call.message),
    maxResponseBytes: call.maxResponseBytes,
  });
  const { interruption = UNINTERRUPTED } = call;
  using _listening = interruption.listen(() => cancel('it was given up'));
  const alarm = setTimeout(cancel, timeoutMs, `no answer within ${timeoutMs} ms`);
  try {
    return messageOf(await response);
  } catch (error) {
    if (!(error instanceof RequestFailure)) throw error;
    // Whatever was wrong with it, the next request is better off on a new one.
    connection.retire();
    throw new CallError(STATUS.unavailable, error.message, error.wasSent, error);
  } finally {
    clearTimeout(alarm);
  }
}

function messageOf(response: Response): Buffer {
  const error = statusError(response);
  if (error !== undefined) throw error;
  try {
    return unframeMessage(response.body);
  } catch (cause) {
    throw new CallError(STATUS.internal, errorText(cause), true, cause);
  }
}
