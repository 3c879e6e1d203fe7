/** That there is one agent on a host: who comes second is told so. */

import { CalicoError } from '../../base/calico-error.ts';

/** A name of the network namespace, not of the file system: the kernel gives it back when the process ends, however it does. */
const NAME = '\0calico-node-agent';

/** Disposing lets another one begin. Rejects with `conflict` when one runs already. */
export async function becomeOnlyAgent(): Promise<Disposable> {
  const server = process.getBuiltinModule('node:net').createServer((socket) => socket.destroy());
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.on('error', reject);
  server.listen({ path: NAME }, resolve);
  try {
    await promise;
  } catch (cause) {
    if (!(cause instanceof Error && 'code' in cause && cause.code === 'EADDRINUSE')) throw cause;
    throw new CalicoError('conflict', 'another node agent runs on this host', {
      details: 'stop it first: systemctl status calico-node and crictl ps show who started it',
      cause,
    });
  }
  server.unref();
  return { [Symbol.dispose]: () => void server.close() };
}
