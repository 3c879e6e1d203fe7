/**
 * A TCP port on loopback that nobody uses, for a server that wants to be told one. None of those that the kernel hands
 * out by itself: another process could get it before that server has it, or while it is being started again.
 */

import { createServer } from 'node:net';

/** Below the ports of net.ipv4.ip_local_port_range. */
const FIRST = 20_000;
const PORTS_PER_PROCESS = 100;
const PROCESSES = 100;

let tried = 0;

/** Never the same one twice, as long as a process does not need very many. */
export async function freePort(): Promise<number> {
  for (let count = 0; count < PORTS_PER_PROCESS; count++) {
    const port = FIRST + (process.pid % PROCESSES) * PORTS_PER_PROCESS + (tried++ % PORTS_PER_PROCESS);
    if (await isFree(port)) return port;
  }
  throw new Error('no free port');
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  const { promise, resolve } = Promise.withResolvers<boolean>();
  server.once('error', () => resolve(false));
  server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  return promise;
}
