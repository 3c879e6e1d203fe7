/** Where a server listens: a port, or a socket in the file system that only root may use. */

import { chmodSync, lstatSync, mkdirSync, rmSync } from 'node:fs';
import type { Server } from 'node:http';
import { dirname } from 'node:path';
import { CalicoError, errorText } from '../../base/calico-error.ts';

export interface Place {
  /** `metrics`, for messages. */
  readonly what: string;
  /** `127.0.0.1:9091`. */
  readonly name: string;
  /** What to do when it is taken. */
  readonly advice: string;
  /** Rejects with what the system says. */
  readonly listen: (server: Server) => Promise<void>;
}

/** Setting: the name by which a person changes it. */
export function tcpPlace(what: string, host: string, port: number, setting: string): Place {
  const name = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  return {
    what,
    name,
    advice: `find out who has the port with ss -ltnp 'sport = :${port}', and stop it, or set ${setting} to another`,
    listen: (server) => started(server, () => server.listen({ host, port })),
  };
}

/** The folder is made. What a former agent left is removed; another that answers there is left alone. */
export function socketPlace(what: string, path: string, setting: string): Place {
  return {
    what,
    name: path,
    advice: `an agent of another network namespace may have it: give each its own with ${setting}`,
    listen: async (server) => {
      mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
      if (isSocket(path) && !(await isAnswered(path))) rmSync(path, { force: true });
      await started(server, () => server.listen({ path }));
      chmodSync(path, 0o600);
    },
  };
}

async function started(server: Server, listen: () => void): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.once('listening', resolve);
  try {
    listen();
    await promise;
  } finally {
    server.off('error', reject);
    server.off('listening', resolve);
  }
}

/** Whatever else is at the path is not ours to remove. */
function isSocket(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSocket() === true;
}

function isAnswered(path: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = process.getBuiltinModule('node:net').connect({ path });
  socket.on('connect', () => resolve(true));
  socket.on('error', () => resolve(false));
  return promise.finally(() => socket.destroy());
}

/** What an operator reads; the network goes on without. */
export function refusalOf({ what, name, advice }: Place, cause: unknown): CalicoError {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  const why = code === 'EADDRINUSE' ? 'it is in use' : errorText(cause);
  return new CalicoError('unavailable', `${what} cannot be served at ${name}: ${why}`, {
    details: code === 'EADDRINUSE' ? advice : 'it is tried again; the network does not depend on it',
    cause,
  });
}
