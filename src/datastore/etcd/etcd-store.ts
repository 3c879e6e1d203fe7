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

/** One request may take this long before another endpoint is tried. */
const REQUEST_TIMEOUT_MS = 10_000;
/** How long the first answer may take altogether; a refused connection is tried again within it. */
const CONNECT_BUDGET_MS = 5_000;
const RETRY_PAUSE_MS = 200;
/** Large enough to list the blocks of a big cluster, small enough to bound our memory. */
const MAX_RESPONSE_BYTES = 64 * 1024 * 1024;

export function openEtcdStore(settings: EtcdSettings, clock: Clock): Store {
  const client = new Etcd3(clientOptions(settings));
  const call = (request: ITxnRequest, deadline: Deadline) =>
    client.kv.txn(request, { deadline: Date.now() + Math.min(deadline.remainingMs(), REQUEST_TIMEOUT_MS) });

  return {
    read: (ranges, deadline) =>
      untilAnswered(settings, clock, deadline, async () =>
        snapshotOf(await call({ success: ranges.map(rangeOp) }, deadline)),
      ),
    commit: (transaction, deadline) =>
      untilAnswered(settings, clock, deadline, async () => {
        try {
          return commitOf(transaction, await call(txnOf(transaction), deadline));
        } catch (error) {
          if (isRecoverableError(asError(error)) && !wasNeverSent(error))
            throw new AmbiguousCommitError(error);
          throw error;
        }
      }),
    close: async () => client.close(),
  };
}

/** The client's own retries are off: whether a write may be repeated is decided here, not by the library. */
function clientOptions(settings: EtcdSettings): IOptions {
  const credentials = tlsCredentials(settings);
  return {
    hosts: [...settings.endpoints],
    faultHandling: { host: () => noop, global: noop },
    grpcOptions: {
      'grpc.max_receive_message_length': MAX_RESPONSE_BYTES,
      // The library would send even loopback traffic through the http_proxy of kubelet's environment.
      'grpc.enable_http_proxy': 0,
    },
    ...(credentials === undefined ? {} : { credentials }),
    ...(settings.user === undefined
      ? {}
      : { auth: { username: settings.user.name, password: settings.user.password } }),
  };
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

/** Repeats a call while no endpoint could be reached, for as long as a restart of etcd may reasonably take. */
async function untilAnswered<T>(
  settings: EtcdSettings,
  clock: Clock,
  deadline: Deadline,
  attempt: () => Promise<T>,
): Promise<T> {
  const giveUpAtMs = clock.monotonicMs() + Math.min(CONNECT_BUDGET_MS, deadline.remainingMs());
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (error instanceof AmbiguousCommitError) throw error;
      const retriable = isRecoverableError(asError(error));
      if (!retriable || clock.monotonicMs() + RETRY_PAUSE_MS >= giveUpAtMs) throw storeError(settings, error);
      await clock.sleep(RETRY_PAUSE_MS);
    }
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
  return new CalicoError('unavailable', `cannot reach ${where}: ${errorText(error)}`, {
    details:
      'Check that etcd is running and that etcd_endpoints and the TLS files in the network configuration are right.',
    cause: error,
  });
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(errorText(error));
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
