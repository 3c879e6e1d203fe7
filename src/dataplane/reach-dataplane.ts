/** Whether the dataplane can be reached at all. */

import { CalicoError } from '../base/calico-error.ts';
import { parseServerAddress } from './server-address.ts';

/** Connects, and asks for nothing: the service has no question that changes nothing. Throws `config` or `network`. */
export async function reachDataplane(socket: string, timeoutMs: number): Promise<void> {
  const { peer } = parseServerAddress(socket);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const fail = (why: string) =>
    reject(
      new CalicoError('network', `grpc dataplane error: ${socket} cannot be reached: ${why}`, {
        details: 'Check that the dataplane is running and that dataplane_options.socket is its address.',
      }),
    );
  const connection = process.getBuiltinModule('node:net').connect({ ...peer });
  connection.once('connect', resolve);
  connection.on('error', (error) => fail(error.message));
  connection.setTimeout(timeoutMs, () => fail(`no answer within ${timeoutMs} ms`));
  await promise.finally(() => connection.destroy());
}
