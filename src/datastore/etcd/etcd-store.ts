/**
 * The Store on etcd v3 through the `etcd3` client. Every call is one `Txn` RPC, so that a read sees all its
 * ranges at one revision and a commit is all or nothing.
 */

import { readFileSync } from 'node:fs';
import { noop } from 'cockatiel';
import {
  Etcd3,
  EtcdAuthenticationFailedError,
  EtcdInvalidAuthTokenError,
  EtcdPermissionDeniedError,
  GRPCDeadlineExceededError,
  GRPCUnauthenticatedError,
  type IOptions,
  type IRequestOp,
  type ITxnRequest,
  type ITxnResponse,
  isRecoverableError,
} from 'etcd3';
import { CalicoError, errorText } from '../../base/calico-error.ts';
import type { Clock, Deadline } from '../../base/deadline.ts';
import { AmbiguousCommitError } from '../ambiguous-commit.ts';
import type { Commit, Entry, Range, Snapshot, Store, Transaction, Write } from '../store.ts';
import type { EtcdSettings } from './etcd-settings.ts';

/** How long one endpoint may take to answer before another is asked; a single one is given more time. */
const ATTEMPT_MS = { oneOfMany: 2_000, single: 10_000 };
/** How long endpoints that refuse the connection are tried again: a restart of etcd takes about this long. */
const PATIENCE_MS = 5_000;
const RETRY_PAUSE_MS = 200;
/** Large enough to list the blocks of a big cluster, small enough to bound our memory. */
const MAX_RESPONSE_BYTES = 64 * 1024 * 1024;

/** `endpoints` are asked in turn, beginning with number `first`, later with the last one that answered. */
export function openEtcdStore(settings: EtcdSettings, clock: Clock, first = 0): Store {
  const clients = settings.endpoints.map((endpoint) => new Etcd3(clientOptions(settings, endpoint)));
  const attemptMs = clients.length > 1 ? ATTEMPT_MS.oneOfMany : ATTEMPT_MS.single;
  let preferred = first;

  async function attempt(request: ITxnRequest, deadline: Deadline): Promise<ITxnResponse> {
    const budgetMs = Math.max(1, Math.min(deadline.remainingMs(), attemptMs));
    const client = clients[preferred % clients.length];
    if (client === undefined) throw new CalicoError('config', 'no etcd endpoints specified');
    try {
      // The library waits without limit while it logs in.
      return await within(budgetMs, client.kv.txn(request, { deadline: Date.now() + budgetMs }));
    } catch (error) {
      preferred += 1;
      throw error;
    }
  }

  /** Until an endpoint answers: all of them once, and on while they only refuse and patience lasts. */
  async function call(request: ITxnRequest, deadline: Deadline, isWrite: boolean): Promise<ITxnResponse> {
    const giveUpAtMs = clock.monotonicMs() + PATIENCE_MS;
    for (let tries = 1; ; tries++) {
      try {
        return await attempt(request, deadline);
      } catch (error) {
        if (!isTransient(error)) throw storeError(settings, error);
        if (isWrite && !wasNeverSent(error)) throw new AmbiguousCommitError(error);
        const isLast = tries >= clients.length && clock.monotonicMs() + RETRY_PAUSE_MS >= giveUpAtMs;
        if (isLast || deadline.remainingMs() <= RETRY_PAUSE_MS) throw storeError(settings, error);
        if (tries >= clients.length) await clock.sleep(RETRY_PAUSE_MS);
      }
    }
  }

  return {
    read: async (ranges, deadline) =>
      snapshotOf(await call({ success: ranges.map(rangeOp) }, deadline, false)),
    commit: async (transaction, deadline) =>
      commitOf(transaction, await call(txnOf(transaction), deadline, true)),
    close: async () => {
      for (const client of clients) client.close();
    },
  };
}

/** The client's own retries are off: whether a write may be repeated is decided here, not by the library. */
function clientOptions(settings: EtcdSettings, endpoint: string): IOptions {
  const credentials = tlsCredentials(settings);
  const { user } = settings;
  return {
    hosts: endpoint,
    faultHandling: { host: () => noop, global: noop },
    grpcOptions: {
      'grpc.max_receive_message_length': MAX_RESPONSE_BYTES,
      // The library would send even loopback traffic through the http_proxy of kubelet's environment.
      'grpc.enable_http_proxy': 0,
    },
    ...(credentials === undefined ? {} : { credentials }),
    ...(user === undefined ? {} : { auth: { username: user.name, password: user.password } }),
  };
}

/** Rejects with the library's own kind of error when the time is over. */
async function within<T>(budgetMs: number, work: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const error = new GRPCDeadlineExceededError(`no answer within ${Math.round(budgetMs)} ms`);
  const alarm = setTimeout(() => reject(error), budgetMs);
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(alarm);
  }
}

function tlsCredentials(settings: EtcdSettings): IOptions['credentials'] | undefined {
  if (!settings.endpoints.some((endpoint) => endpoint.startsWith('https:'))) return undefined;
  return {
    // The library's type insists on a CA; without one the runtime's own roots are meant.
    rootCertificate: (settings.caCertFile === undefined
      ? null
      : readPem('etcd_ca_cert_file', settings.caCertFile)) as Buffer,
    ...(settings.keyFile === undefined ? {} : { privateKey: readPem('etcd_key_file', settings.keyFile) }),
    ...(settings.certFile === undefined ? {} : { certChain: readPem('etcd_cert_file', settings.certFile) }),
  };
}

function readPem(setting: string, path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new CalicoError('config', `could not initialize etcdv3 client: cannot read ${setting} ${path}`, {
      details: errorText(cause),
      cause,
    });
  }
}

/** gRPC says so when there was no connection to send on. */
function wasNeverSent(error: unknown): boolean {
  return /No connection established|Name resolution failed/.test(errorText(error));
}

function storeError(settings: EtcdSettings, error: unknown): CalicoError {
  const where = `etcd at ${settings.endpoints.join(', ')}`;
  const extras = { details: errorText(error), cause: error };
  if (error instanceof EtcdPermissionDeniedError) {
    return new CalicoError(
      'denied',
      `${where} denied permission: grant the user read and write on /calico/`,
      extras,
    );
  }
  if (
    error instanceof EtcdAuthenticationFailedError ||
    error instanceof EtcdInvalidAuthTokenError ||
    error instanceof GRPCUnauthenticatedError
  ) {
    return new CalicoError('denied', `${where} did not accept the user name or password`, extras);
  }
  if (/authentication is not enabled/.test(errorText(error))) {
    return new CalicoError(
      'denied',
      `${where} has no users: leave out ETCD_USERNAME and ETCD_PASSWORD`,
      extras,
    );
  }
  return new CalicoError('unavailable', `cannot reach ${where}: ${errorText(error)}`, {
    details:
      'Check that etcd is running and that etcd_endpoints and the TLS files in the network configuration are right.',
    cause: error,
  });
}

function isTransient(error: unknown): boolean {
  return error instanceof Error && isRecoverableError(error);
}

function rangeOp(range: Range): IRequestOp {
  if ('key' in range) return { request_range: { key: Buffer.from(range.key) } };
  return {
    request_range: {
      key: Buffer.from(range.prefix),
      range_end: prefixEnd(range.prefix),
      keys_only: range.keysOnly ?? false,
      limit: range.limit ?? 0,
    },
  };
}

/** The first key after all keys that start with the prefix; the prefix's last byte is never 0xff in our keys. */
function prefixEnd(prefix: string): Buffer {
  const end = Buffer.from(prefix);
  end.writeUInt8((end.at(-1) ?? 0) + 1, end.length - 1);
  return end;
}

function txnOf(transaction: Transaction): ITxnRequest {
  return {
    compare: transaction.expect.map(({ key, revision }) => ({
      key: Buffer.from(key),
      target: 'Mod',
      result: 'Equal',
      mod_revision: revision,
    })),
    success: transaction.write.map(writeOp),
    failure: transaction.expect.map(({ key }) => rangeOp({ key })),
  };
}

function writeOp(write: Write): IRequestOp {
  const key = Buffer.from(write.key);
  return write.type === 'put'
    ? { request_put: { key, value: Buffer.from(write.value) } }
    : { request_delete_range: { key } };
}

function snapshotOf(response: ITxnResponse): Snapshot {
  return {
    revision: response.header.revision,
    entries: response.responses.map(({ response_range }) => response_range.kvs.map(entryOf)),
  };
}

function commitOf(transaction: Transaction, response: ITxnResponse): Commit {
  if (response.succeeded) return { committed: true, revision: response.header.revision };
  const { entries } = snapshotOf(response);
  return {
    committed: false,
    current: new Map(transaction.expect.map(({ key }, index) => [key, entries[index]?.[0]])),
  };
}

function entryOf(kv: { readonly key: Buffer; readonly value: Buffer; readonly mod_revision: string }): Entry {
  return { key: kv.key.toString(), value: kv.value.toString(), revision: kv.mod_revision };
}
