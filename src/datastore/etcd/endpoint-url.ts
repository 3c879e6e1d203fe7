/** What an endpoint's URL says. Pure. */

import { CalicoError } from '../../base/calico-error.ts';
import type { Peer } from '../../grpc/http2/connect.ts';

export interface EndpointParts {
  /** `http` or `https`. */
  readonly scheme: string;
  /** Host and port as the URL has them. */
  readonly authority: string;
  readonly peer: Peer;
}

const URL_PARTS = /^(?<scheme>https?):\/\/(?<authority>(?<host>\[.+\]|[^:]+):(?<port>\d+))$/;

/** Throws `config` when it is none. */
export function partsOf(url: string): EndpointParts {
  const { scheme, authority, host, port } = URL_PARTS.exec(url)?.groups ?? {};
  if (scheme === undefined || authority === undefined || host === undefined) {
    throw new CalicoError(
      'config',
      `invalid etcd endpoint ${JSON.stringify(url)}: it must be like https://host:2379`,
    );
  }
  return { scheme, authority, peer: { host: host.replace(/^\[|\]$/g, ''), port: Number(port) } };
}
