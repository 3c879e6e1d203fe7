/**
 * A pod's network made by another program: the gRPC service that `dataplane_options` names makes the interfaces, routes
 * and switches, and says what it made. One call, one connection, no TLS, at most 5 s, as Calico's plugin does it.
 */

import { CalicoError } from '../base/calico-error.ts';
import { checkInterruption, type Deadline, unlessInterrupted } from '../base/deadline.ts';
import { CallError } from '../grpc/call-error.ts';
import { connectPlain } from '../grpc/http2/connect.ts';
import { callMethod, type Method } from '../grpc/method.ts';
import { addRequest, type DataplanePod } from './add-request.ts';
import { readAddReply, readDelReply, writeAddRequest, writeDelRequest } from './dataplane-messages.ts';
import { type MadeInterface, madeInterface } from './made-interface.ts';
import { parseServerAddress } from './server-address.ts';

export interface GrpcDataplane {
  /** Where it listens, as {@link parseServerAddress} reads it. */
  readonly socket: string;
  /** Passed on with every request. */
  readonly options: Readonly<Record<string, string>>;
}

const ADD = { path: '/cni.CniDataplane/Add', write: writeAddRequest, read: readAddReply };
const DEL = { path: '/cni.CniDataplane/Del', write: writeDelRequest, read: readDelReply };

const TIMEOUT_MS = 5_000;
const MAX_ANSWER_BYTES = 4 << 20;

/**
 * Has the pod's network made. Throws `config` for an address that is none, `network` for whatever else goes wrong:
 * then it may have been made nevertheless, and {@link delFromDataplane} takes it away.
 */
export async function addToDataplane(
  pod: DataplanePod,
  dataplane: GrpcDataplane,
  deadline: Deadline,
): Promise<MadeInterface> {
  const reply = await call(ADD, addRequest(pod, dataplane.options), dataplane, deadline);
  return madeInterface(reply);
}

/** Has the pod's network taken away. An empty `netnsPath` is passed on as such. Throws as {@link addToDataplane}. */
export async function delFromDataplane(
  { containerIfName, netnsPath }: { readonly containerIfName: string; readonly netnsPath: string },
  dataplane: GrpcDataplane,
  deadline: Deadline,
): Promise<void> {
  const request = {
    interface_name: containerIfName,
    netns: netnsPath,
    dataplane_options: dataplane.options,
  };
  await call(DEL, request, dataplane, deadline);
}

interface Reply {
  readonly successful: boolean;
  readonly error_message: string;
}

async function call<Request, Answer extends Reply>(
  method: Method<Request, Answer>,
  request: Request,
  { socket }: GrpcDataplane,
  deadline: Deadline,
): Promise<Answer> {
  const { peer, authority } = parseServerAddress(socket);
  checkInterruption(deadline);
  const timeoutMs = Math.min(TIMEOUT_MS, deadline.remainingMs());
  const limits = { timeoutMs, maxResponseBytes: MAX_ANSWER_BYTES };
  const connection = connectPlain(peer);
  try {
    const target = { scheme: 'http', authority, metadata: [] };
    const answer = callMethod(connection, method, request, { ...target, ...limits });
    const reply = await unlessInterrupted(deadline, answer);
    if (reply.successful) return reply;
    throw dataplaneError(reply.error_message || 'it gave no reason', `${socket} refused ${method.path}`);
  } catch (error) {
    if (!(error instanceof CallError)) throw error;
    const advice = `Check that the dataplane is running and that dataplane_options.socket, ${socket}, is its address.`;
    throw dataplaneError(error.message, advice, error);
  } finally {
    connection.close('the call is over');
  }
}

/** Whether a failed {@link addToDataplane} can have made something: it cannot where nobody got the request. */
export function mayHaveBeenMade(error: unknown): boolean {
  return !(error instanceof CalicoError && error.cause instanceof CallError && !error.cause.wasSent);
}

function dataplaneError(message: string, details: string, cause?: CallError): CalicoError {
  return new CalicoError('network', `grpc dataplane error: ${message}`, { details, cause });
}
