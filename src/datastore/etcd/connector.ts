/** Connects to endpoints of etcd, with TLS where there is something to trust. */

import type { SecureContext } from 'node:tls';
import { connectPlain, connectTls, type Peer } from '../../grpc/http2/connect.ts';
import type { Http2Connection } from '../../grpc/http2/connection.ts';
import type { EtcdSettings } from './etcd-settings.ts';
import type { PemFiles } from './pem-files.ts';
import { secureContextOf } from './secure-context.ts';

/** The files are understood when the first connection needs them: it throws `config` when they are damaged. */
export function connectorOf(
  settings: EtcdSettings,
  pem: PemFiles | undefined,
): (peer: Peer) => Http2Connection {
  if (pem === undefined) return connectPlain;
  let secureContext: SecureContext | undefined;
  return (peer) => {
    secureContext ??= secureContextOf(settings, pem);
    return connectTls(peer, secureContext);
  };
}
