/** One etcd endpoint, asked over a connection that is made when it is needed. */

import { CalicoError } from '../../base/calico-error.ts';
import type { Clock } from '../../base/deadline.ts';
import type { Interruption } from '../../base/interruption.ts';
import { CallError } from '../../grpc/call-error.ts';
import type { Peer } from '../../grpc/http2/connect.ts';
import type { Http2Connection } from '../../grpc/http2/connection.ts';
import { callMethod, type Method } from '../../grpc/method.ts';
import type { Metadata } from '../../grpc/unary-call.ts';
import { partsOf } from './endpoint-url.ts';
import { readTxnResponse, writeTxnRequest } from './etcd-messages.ts';
import { type EtcdUser, MAX_RESPONSE_BYTES } from './etcd-settings.ts';
import type { EtcdEndpoint } from './failover.ts';
import { AUTHENTICATE } from './log-in.ts';
import { isStaleToken } from './refusal.ts';

/** What all endpoints of a cluster share. */
export interface GrpcSession {
  readonly connect: (peer: Peer) => Http2Connection;
  readonly clock: Clock;
  readonly user: EtcdUser | undefined;
  /** What etcd gave for the user's password; any member accepts it. */
  token: string | undefined;
}

const TXN = { path: '/etcdserverpb.KV/Txn', write: writeTxnRequest, read: readTxnResponse };

interface Limits {
  readonly timeoutMs: number;
  readonly interruption: Interruption;
}

export interface GrpcEndpoint extends EtcdEndpoint {
  /** As `txn`, any method. */
  ask<Request, Answer>(
    method: Method<Request, Answer>,
    request: Request,
    budgetMs: number,
    interruption: Interruption,
  ): Promise<Answer>;
  /** Begins to connect, for a request that is about to come. A failure shows with that request. */
  connect(): void;
}

/** `url`: `http://host:port` or `https://host:port`, an IPv6 address in brackets. */
export function openGrpcEndpoint(url: string, session: GrpcSession): GrpcEndpoint {
  const { scheme, authority, peer } = partsOf(url);
  let connection: Http2Connection | undefined;
  let isClosed = false;

  function usableConnection(): Http2Connection {
    if (isClosed) throw new CalicoError('internal', 'a request to a datastore that was closed');
    if (!connection?.isUsable) connection = session.connect(peer);
    return connection;
  }

  function call<Request, Answer>(
    method: Method<Request, Answer>,
    request: Request,
    metadata: Metadata,
    { timeoutMs, interruption }: Limits,
  ): Promise<Answer> {
    const limits = { timeoutMs, interruption, maxResponseBytes: MAX_RESPONSE_BYTES };
    return callMethod(usableConnection(), method, request, { scheme, authority, metadata, ...limits });
  }

  /** Whatever goes wrong here, the request that wanted the token was not sent. */
  async function logIn({ name, password }: EtcdUser, limits: Limits): Promise<string> {
    try {
      const { token } = await call(AUTHENTICATE, { name, password }, [], limits);
      session.token = token;
      return token;
    } catch (error) {
      throw error instanceof CallError ? new CallError(error.code, error.message, false, error) : error;
    }
  }

  async function callAs<Request, Answer>(
    user: EtcdUser,
    method: Method<Request, Answer>,
    request: Request,
    limits: () => Limits,
  ): Promise<Answer> {
    for (let isRetry = false; ; isRetry = true) {
      const token = session.token ?? (await logIn(user, limits()));
      try {
        return await call(method, request, [['token', token]], limits());
      } catch (error) {
        if (isRetry || !(error instanceof CallError && isStaleToken(error))) throw error;
        session.token = undefined;
      }
    }
  }

  const ask: GrpcEndpoint['ask'] = (method, request, budgetMs, interruption) => {
    const { user, clock } = session;
    const endMs = clock.monotonicMs() + budgetMs;
    const limits = () => ({ timeoutMs: endMs - clock.monotonicMs(), interruption });
    return user === undefined ? call(method, request, [], limits()) : callAs(user, method, request, limits);
  };

  return {
    url,
    ask,
    txn: (request, budgetMs, interruption) => ask(TXN, request, budgetMs, interruption),
    connect: () => void usableConnection(),
    close: () => {
      isClosed = true;
      connection?.close('the datastore was closed');
    },
  };
}
