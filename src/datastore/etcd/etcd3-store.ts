/**
 * The Store on etcd v3 through the `etcd3` library, for processes that live long: it keeps connections alive and can
 * watch. Loading it takes longer than a plugin call may: those use `etcd-store.ts`.
 */

import { noop } from 'cockatiel';
import {
  Etcd3,
  EtcdAuthenticationFailedError,
  EtcdInvalidAuthTokenError,
  EtcdPermissionDeniedError,
  GRPCUnauthenticatedError,
  type IOptions,
  isRecoverableError,
} from 'etcd3';
import { errorText } from '../../base/calico-error.ts';
import type { Clock } from '../../base/deadline.ts';
import { CallError, STATUS } from '../../grpc/call-error.ts';
import type { Store } from '../store.ts';
import { askerOf } from './asker.ts';
import type { TxnRequest } from './etcd-messages.ts';
import { type EtcdSettings, MAX_RESPONSE_BYTES } from './etcd-settings.ts';
import { type EtcdEndpoint, storeOn } from './failover.ts';
import { type PemFiles, readPemFiles } from './pem-files.ts';

export function openEtcd3Store(settings: EtcdSettings, clock: Clock): Store {
  const pem = readPemFiles(settings);
  return storeOn(
    settings.endpoints.map((url) => openEndpoint(url, clientOptions(settings, url, pem))),
    clock,
    { asker: askerOf(settings, pem, clock) },
  );
}

function openEndpoint(url: string, options: IOptions): EtcdEndpoint {
  const client = new Etcd3(options);
  return {
    url,
    txn: ({ compare = [], success = [], failure = [] }: TxnRequest, budgetMs) => {
      const request = { compare: [...compare], success: [...success], failure: [...failure] };
      // The library waits without limit while it logs in.
      return within(budgetMs, client.kv.txn(request, { deadline: Date.now() + budgetMs }));
    },
    close: () => client.close(),
  };
}

/** The client's own retries are off: whether a write may be repeated is not the library's to decide. */
function clientOptions({ user }: EtcdSettings, url: string, pem: PemFiles | undefined): IOptions {
  return {
    hosts: url,
    faultHandling: { host: () => noop, global: noop },
    grpcOptions: {
      'grpc.max_receive_message_length': MAX_RESPONSE_BYTES,
      // The library would send even loopback traffic through the http_proxy of kubelet's environment.
      'grpc.enable_http_proxy': 0,
    },
    ...(pem === undefined ? {} : { credentials: credentialsOf(pem) }),
    ...(user === undefined ? {} : { auth: { username: user.name, password: user.password } }),
  };
}

function credentialsOf({ ca, cert, key }: PemFiles): NonNullable<IOptions['credentials']> {
  return {
    // The library's type insists on a CA; without one the runtime's own roots are meant.
    rootCertificate: (ca ?? null) as Buffer,
    ...(key === undefined ? {} : { privateKey: key }),
    ...(cert === undefined ? {} : { certChain: cert }),
  };
}

/** Rejects with a {@link CallError}, and when the time is over. */
async function within<T>(budgetMs: number, work: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const error = new CallError(STATUS.deadlineExceeded, `no answer within ${Math.round(budgetMs)} ms`, true);
  const alarm = setTimeout(() => reject(error), budgetMs);
  try {
    return await Promise.race([work, late]);
  } catch (failure) {
    throw failure instanceof CallError ? failure : callErrorOf(failure);
  } finally {
    clearTimeout(alarm);
  }
}

/** The library's errors are classes for some of etcd's messages, and for gRPC's codes otherwise. */
function callErrorOf(error: unknown): CallError {
  const message = errorText(error);
  return new CallError(codeOf(error), message, !wasNeverSent(message), error);
}

function codeOf(error: unknown): number {
  if (error instanceof EtcdPermissionDeniedError) return STATUS.permissionDenied;
  if (
    error instanceof EtcdAuthenticationFailedError ||
    error instanceof EtcdInvalidAuthTokenError ||
    error instanceof GRPCUnauthenticatedError
  ) {
    return STATUS.unauthenticated;
  }
  return error instanceof Error && isRecoverableError(error) ? STATUS.unavailable : STATUS.invalidArgument;
}

/** gRPC says so when there was no connection to send on. */
function wasNeverSent(message: string): boolean {
  return /No connection established|Name resolution failed/.test(message);
}
