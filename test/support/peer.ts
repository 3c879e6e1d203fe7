/** Servers on a free port of this machine, gone with the test that started them. */

import { createServer, type Server, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/** Calls `accept` for every connection; gives the port. */
export async function listen(accept: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    // The other side may go away at any time.
    socket.on('error', () => undefined);
    accept(socket);
  });
  onTestFinished(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return listening(server);
}

/** Lets a server listen on a free port; gives the port. */
export async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no free port');
  return address.port;
}
