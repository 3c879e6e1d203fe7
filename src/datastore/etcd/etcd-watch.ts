/**
 * The Watch on etcd v3: one stream over one connection, with a watcher for each range.
 *
 * A peer that is gone without a word, and a member that has stopped, are known by their silence: now and then etcd is
 * asked how far it is. Its answer says that the stream is alive and nothing more: until 3.4.25 and 3.5.8 it could
 * overtake changes.
 */

import { CalicoError } from '../../base/calico-error.ts';
import type { Clock } from '../../base/deadline.ts';
import { CallError, STATUS } from '../../grpc/call-error.ts';
import type { Metadata } from '../../grpc/call-fields.ts';
import type { Http2Connection } from '../../grpc/http2/connection.ts';
import { callMethod } from '../../grpc/method.ts';
import { finishMessage, newMessage } from '../../grpc/protobuf/writer.ts';
import { callStream } from '../../grpc/stream-call.ts';
import type { Watch, WatchedRange, WatchRequest } from '../watch.ts';
import { askerOf } from './asker.ts';
import { connectorOf, type OnConnection } from './connector.ts';
import { type EndpointParts, partsOf } from './endpoint-url.ts';
import { writeWatchRequest } from './etcd-messages.ts';
import { type EtcdSettings, type EtcdUser, MAX_RESPONSE_BYTES } from './etcd-settings.ts';
import { AUTHENTICATE } from './log-in.ts';
import { readPemFiles } from './pem-files.ts';
import { refusalOf, storeError } from './refusal.ts';
import { prefixEnd } from './txn.ts';
import { createWatchReader } from './watch-reader.ts';

export interface EtcdWatchOptions {
  /** Number of the endpoint that is watched first; after a failure it is the next one. */
  readonly first?: number;
  /** How long etcd may be silent before it is asked, and again before it is given up. */
  readonly patienceMs?: number;
  readonly onConnection?: OnConnection;
}

const PATIENCE_MS = 10_000;
/** `WatchRequest { progress_request: {} }`: a message without fields, as field 3. */
const PROGRESS_REQUEST = Buffer.from([0x1a, 0x00]);
/** A member that has lost its leader ends the stream instead of being silent. */
const REQUIRE_LEADER = ['hasleader', 'true'] as const;

interface Session extends EndpointParts {
  readonly connection: Http2Connection;
  readonly patienceMs: number;
}

/** `patienceMs` is 10 s where nothing else is said. Reads the TLS files, and throws `config` when they cannot be read. */
export function openEtcdWatch(settings: EtcdSettings, clock: Clock, options: EtcdWatchOptions = {}): Watch {
  const { first = 0, patienceMs = PATIENCE_MS } = options;
  const { endpoints, user } = settings;
  const pem = readPemFiles(settings);
  const connect = connectorOf(settings, pem, options.onConnection);
  const asker = askerOf(settings, pem, clock);
  let next = first;
  let token: string | undefined;

  async function credentials(session: Session): Promise<Metadata> {
    if (user === undefined) return [];
    token ??= await logIn(session, user);
    return [['token', token]];
  }

  async function followAt(url: string, request: WatchRequest): Promise<never> {
    const parts = partsOf(url);
    const connection = connect(parts.peer);
    const { promise: interrupted, reject } = Promise.withResolvers<never>();
    using _listening = request.interruption.listen(() => reject(interruptedError(request)));
    try {
      const session = { ...parts, connection, patienceMs };
      const metadata = await Promise.race([credentials(session), interrupted]);
      return await Promise.race([watchOn(session, metadata, request), interrupted]);
    } finally {
      connection.close('the watch has ended');
    }
  }

  /** Once more with a new token, should an old one have been refused. */
  async function followAs(url: string, request: WatchRequest): Promise<never> {
    const isTokenOld = token !== undefined;
    try {
      return await followAt(url, request);
    } catch (error) {
      // Of a token that has expired, old members say no more than that permission is denied.
      if (!(error instanceof CallError && refusalOf(error) !== undefined)) throw error;
      token = undefined;
      if (!isTokenOld) throw error;
      return await followAt(url, request);
    }
  }

  return {
    follow: async (request) => {
      const url = endpoints[next % endpoints.length];
      if (url === undefined) throw new CalicoError('config', 'no etcd endpoints specified');
      try {
        return await followAs(url, request);
      } catch (error) {
        if (!(error instanceof CallError)) throw error;
        next += 1;
        throw storeError([{ url, error }], asker);
      }
    },
  };
}

async function logIn({ connection, patienceMs, ...target }: Session, user: EtcdUser): Promise<string> {
  const options = { ...target, metadata: [], timeoutMs: patienceMs, maxResponseBytes: MAX_RESPONSE_BYTES };
  return (await callMethod(connection, AUTHENTICATE, user, options)).token;
}

async function watchOn(
  { connection, patienceMs, scheme, authority }: Session,
  credentials: Metadata,
  { ranges, listener }: WatchRequest,
): Promise<never> {
  const { promise: failed, reject: fail } = Promise.withResolvers<never>();
  const read = createWatchReader(ranges, listener);
  let hasFailed = false;
  let isSilent = false;
  const call = callStream(connection, {
    ...{ scheme, authority, path: '/etcdserverpb.Watch/Watch', metadata: [REQUIRE_LEADER, ...credentials] },
    messages: ranges.map(createRequest),
    maxMessageBytes: MAX_RESPONSE_BYTES,
    onMessage: (message) => {
      isSilent = false;
      if (hasFailed) return;
      try {
        read(message);
      } catch (error) {
        hasFailed = true;
        fail(error);
      }
    },
  });
  const failIfSilent = () => {
    if (isSilent) fail(new CallError(STATUS.unavailable, `no sign of life for ${2 * patienceMs} ms`, true));
  };
  const alarm = setInterval(() => {
    // When it was this process that stood still, the answer has come, and is read after the timers.
    if (isSilent) setImmediate(failIfSilent);
    isSilent = true;
    call.send(PROGRESS_REQUEST);
  }, patienceMs);
  try {
    await Promise.race([call.ended, failed]);
    throw new CallError(STATUS.unavailable, 'etcd ended the watch', true);
  } finally {
    hasFailed = true;
    clearInterval(alarm);
    call.cancel('the watch has ended');
  }
}

function createRequest({ prefix, from }: WatchedRange): Buffer {
  const writer = newMessage();
  const create_request = {
    key: Buffer.from(prefix),
    range_end: prefixEnd(prefix),
    start_revision: from,
    progress_notify: true,
  };
  writeWatchRequest(writer, { create_request });
  return finishMessage(writer);
}

function interruptedError({ interruption }: WatchRequest): CalicoError {
  return new CalicoError('unavailable', `the watch was ended by ${interruption.signal() ?? 'a signal'}`);
}
