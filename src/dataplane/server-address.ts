/** Where the gRPC dataplane listens, from `dataplane_options.socket`. Pure. */

import { CalicoError } from '../base/calico-error.ts';
import type { LocalPeer, Peer } from '../grpc/http2/connect.ts';

export interface ServerAddress {
  readonly peer: Peer | LocalPeer;
  /** What the request says it asks. */
  readonly authority: string;
}

/** How gRPC asks a server on a socket of this machine, which has no host name. */
const LOCAL_AUTHORITY = 'localhost';

/** gRPC's names for "as it is written" and "look the name up", which are the same here. */
const RESOLVER = /^(?:passthrough|dns):(?:\/\/\/|(?!\/\/))/;
const LOCAL = /^(?:unix:\/\/(?=\/)|unix:(?!\/\/)|(?=\/))(?<path>.+)$/;
const ABSTRACT = /^unix-abstract:(?<name>.+)$/;
const TCP = /^(?<host>\[[\w:.%-]+\]|[^\s:/[\]]+):(?<port>\d{1,5})$/;
const MAX_PORT = 65_535;

/**
 * Reads what gRPC's own clients take: `unix:///run/dataplane.sock`, `unix:path`, `unix-abstract:name`, `host:port`, with
 * `passthrough:///` or `dns:///` before them or not; and a bare `/run/dataplane.sock`. Throws `config`.
 */
export function parseServerAddress(text: string): ServerAddress {
  const target = text.replace(RESOLVER, '');
  const path = LOCAL.exec(target)?.groups?.path;
  if (path !== undefined) return { peer: { path }, authority: LOCAL_AUTHORITY };
  const name = ABSTRACT.exec(target)?.groups?.name;
  if (name !== undefined) return { peer: { path: `\0${name}` }, authority: LOCAL_AUTHORITY };
  const { host, port } = TCP.exec(target)?.groups ?? {};
  if (host !== undefined && Number(port) >= 1 && Number(port) <= MAX_PORT) {
    return { peer: { host: host.replace(/^\[|\]$/g, ''), port: Number(port) }, authority: target };
  }
  throw new CalicoError(
    'config',
    `invalid dataplane_options.socket ${JSON.stringify(text)}: it must be like unix:///run/dataplane.sock or 127.0.0.1:9000`,
  );
}
