/** Many changes in few writes. */

import type { Outcomes } from './exchange.ts';
import type { NetlinkRequest } from './header.ts';
import type { NetlinkSocket } from './socket.ts';

/** So many acknowledgements, each about 800 bytes of the kernel's memory, wait in a socket of the usual size. */
const BATCH_SIZE = 128;

/** Like {@link NetlinkSocket.changeAll}, for any number of requests. */
export function changeMany(socket: NetlinkSocket, requests: readonly NetlinkRequest[]): Outcomes {
  const starts = Array.from({ length: Math.ceil(requests.length / BATCH_SIZE) }, (_, n) => n * BATCH_SIZE);
  return starts.flatMap((start) => socket.changeAll(requests.slice(start, start + BATCH_SIZE)));
}
