/**
 * The Store on etcd v3 for processes that ask a few things and end: gRPC over HTTP/2 of our own, nothing else to load.
 * The `etcd3` library takes several times the time of a whole plugin call to be loaded: see ARCHITECTURE.md.
 */

import type { Clock } from '../../base/deadline.ts';
import type { Store } from '../store.ts';
import { askerOf } from './asker.ts';
import { connectorOf, type OnConnection } from './connector.ts';
import type { EtcdSettings } from './etcd-settings.ts';
import { type FailoverOptions, storeOn } from './failover.ts';
import { type GrpcSession, openGrpcEndpoint } from './grpc-endpoint.ts';
import { readPemFiles } from './pem-files.ts';

export interface EtcdStoreOptions extends Pick<FailoverOptions, 'first' | 'onFailure'> {
  readonly onConnection?: OnConnection;
}

/** The connection to the first endpoint is begun at once: whoever opens a store has a question. */
export function openEtcdStore(settings: EtcdSettings, clock: Clock, options: EtcdStoreOptions = {}): Store {
  const pem = readPemFiles(settings);
  const session: GrpcSession = {
    connect: connectorOf(settings, pem, options.onConnection),
    clock,
    user: settings.user,
    token: undefined,
  };
  const endpoints = settings.endpoints.map((url) => openGrpcEndpoint(url, session));
  endpoints[(options.first ?? 0) % endpoints.length]?.connect();
  return storeOn(endpoints, clock, { ...options, asker: askerOf(settings, pem, clock) });
}
