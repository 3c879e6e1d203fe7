/**
 * The Store on etcd v3 for processes that ask a few things and end: gRPC over HTTP/2 of our own, nothing else to load.
 * The `etcd3` library takes several times the time of a whole plugin call to be loaded: see ARCHITECTURE.md.
 */

import type { SecureContext } from 'node:tls';
import type { Clock } from '../../base/deadline.ts';
import { connectPlain, connectTls, type Peer } from '../../grpc/http2/connect.ts';
import type { Http2Connection } from '../../grpc/http2/connection.ts';
import type { Store } from '../store.ts';
import { askerOf } from './asker.ts';
import type { EtcdSettings } from './etcd-settings.ts';
import { type FailoverOptions, storeOn } from './failover.ts';
import { type GrpcSession, openGrpcEndpoint } from './grpc-endpoint.ts';
import { type PemFiles, readPemFiles } from './pem-files.ts';
import { secureContextOf } from './secure-context.ts';

export type EtcdStoreOptions = Pick<FailoverOptions, 'first' | 'onFailure'>;

/** The connection to the first endpoint is begun at once: whoever opens a store has a question. */
export function openEtcdStore(settings: EtcdSettings, clock: Clock, options: EtcdStoreOptions = {}): Store {
  const pem = readPemFiles(settings);
  const connect = pem === undefined ? connectPlain : secureConnector(settings, pem);
  const session: GrpcSession = { connect, clock, user: settings.user, token: undefined };
  const endpoints = settings.endpoints.map((url) => openGrpcEndpoint(url, session));
  endpoints[(options.first ?? 0) % endpoints.length]?.connect();
  return storeOn(endpoints, clock, { ...options, asker: askerOf(settings, pem, clock) });
}

/** The files are understood when the first connection needs them. */
function secureConnector(settings: EtcdSettings, pem: PemFiles): (peer: Peer) => Http2Connection {
  let secureContext: SecureContext | undefined;
  return (peer) => {
    secureContext ??= secureContextOf(settings, pem);
    return connectTls(peer, secureContext);
  };
}
