/**
 * Opens HTTP/2 connections: over TCP, with TLS or without, and over sockets of this machine. The modules for it are
 * loaded at the first one.
 */

import type { SecureContext } from 'node:tls';
import { Http2Connection } from './connection.ts';

export interface Peer {
  /** A name, or an address without brackets. */
  readonly host: string;
  readonly port: number;
}

/** A server on this machine: the path of its socket. A name outside of the file system begins with a zero byte. */
export interface LocalPeer {
  readonly path: string;
}

/** Returns at once: requests wait until the connection stands. Bytes leave as soon as they are written. */
export function connectPlain(peer: Peer | LocalPeer): Http2Connection {
  const socket = process.getBuiltinModule('node:net').connect({ ...peer, noDelay: true });
  return new Http2Connection(socket, 'connect');
}

/** The server's certificate must be for the host of the peer. */
export function connectTls({ host, port }: Peer, secureContext: SecureContext): Http2Connection {
  const { isIP } = process.getBuiltinModule('node:net');
  const socket = process.getBuiltinModule('node:tls').connect({
    host,
    port,
    secureContext,
    // TLS has no names for addresses; Node.js then compares the certificate with `host`.
    ...(isIP(host) ? {} : { servername: host }),
    // Said outright, so that no NODE_TLS_REJECT_UNAUTHORIZED can say otherwise.
    rejectUnauthorized: true,
    ALPNProtocols: ['h2'],
  });
  socket.setNoDelay(true);
  return new Http2Connection(socket, 'secureConnect');
}
