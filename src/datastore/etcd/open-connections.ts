/** The connections that parts of a datastore have open, which can be made anew all at once. */

import type { Http2Connection } from '../../grpc/http2/connection.ts';

type Connection = Pick<Http2Connection, 'isUsable' | 'close'>;

export interface OpenConnections {
  readonly add: (connection: Connection) => void;
  /** Calls under way fail as they do when a connection breaks, and the next ones connect again. */
  readonly closeAll: (why: string) => void;
}

export function openConnections(): OpenConnections {
  const open = new Set<Connection>();
  return {
    add: (connection) => {
      for (const other of open) if (!other.isUsable) open.delete(other);
      open.add(connection);
    },
    closeAll: (why) => {
      for (const connection of open) connection.close(why);
      open.clear();
    },
  };
}
