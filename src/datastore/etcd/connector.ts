/** Connects to endpoints of etcd, with TLS where there is something to trust. */

import type { SecureContext } from 'node:tls';
import { connectPlain, connectTls, type Peer } from '../../grpc/http2/connect.ts';
import type { Http2Connection } from '../../grpc/http2/connection.ts';
import type { EtcdSettings } from './etcd-settings.ts';
import type { PemFiles } from './pem-files.ts';
import { secureContextOf } from './secure-context.ts';

/** Told of every connection. */
export type OnConnection = (connection: Http2Connection) => void;

/** The files are understood when the first connection needs them: it throws `config` when they are damaged. */
export function connectorOf(
  settings: EtcdSettings,
  pem: PemFiles | undefined,
  onConnection: OnConnection | undefined = undefined,
): (peer: Peer) => Http2Connection {
  const connect = pem === undefined ? connectPlain : tlsConnector(settings, pem);
  if (onConnection === undefined) return connect;
  return (peer) => {
    const connection = connect(peer);
    onConnection(connection);
    return connection;
  };
}

function tlsConnector(settings: EtcdSettings, pem: PemFiles): (peer: Peer) => Http2Connection {
  let secureContext: SecureContext | undefined;
  return (peer) => {
    secureContext ??= secureContextOf(settings, pem);
    return connectTls(peer, secureContext);
  };
}
