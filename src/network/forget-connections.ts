/** Makes the kernel forget the connections of an address that is somebody else's from now on. */

import { type IpAddress, sameAddress } from '../base/ip-address.ts';
import { isKernelError } from './kernel-error.ts';
import { type Direction, decodeConnection, deleteConnection, dumpConnections } from './netlink/conntrack.ts';
import type { NetlinkSocket } from './netlink/socket.ts';

const DIRECTIONS: readonly Direction[] = ['original', 'reply'];

/**
 * Those that the address began, and those that it answers. Gives how many there were. `socket`: one of the packet
 * filter. Throws {@link KernelError}, also from a kernel that does not tell of connections.
 */
export function forgetConnections(socket: NetlinkSocket, address: IpAddress): number {
  let count = 0;
  for (const direction of DIRECTIONS) {
    for (const payload of socket.dump(dumpConnections(address, direction))) {
      const connection = decodeConnection(payload);
      const source = connection?.source[direction];
      if (connection === undefined || source === undefined || !sameAddress(source, address)) continue;
      count += forget(socket, connection);
    }
  }
  return count;
}

function forget(socket: NetlinkSocket, connection: Parameters<typeof deleteConnection>[0]): number {
  try {
    socket.change(deleteConnection(connection));
    return 1;
  } catch (error) {
    if (isKernelError(error, 'ENOENT')) return 0;
    throw error;
  }
}
