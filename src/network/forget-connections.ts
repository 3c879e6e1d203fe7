/** Makes the kernel forget the connections of addresses that are somebody else's from now on. */

import type { IpAddress, IpFamily } from '../base/ip-address.ts';
import { isKernelError } from './kernel-error.ts';
import { type Direction, decodeConnection, deleteConnection, dumpConnections } from './netlink/conntrack.ts';
import type { NetlinkRequest } from './netlink/header.ts';
import type { NetlinkSocket } from './netlink/socket.ts';

const DIRECTIONS: readonly Direction[] = ['original', 'reply'];

/**
 * Those that an address began, and those that it answers. Gives how many there were. `socket`: one of the packet
 * filter. Throws {@link KernelError}, also from a kernel that does not tell of connections.
 */
export function forgetConnections(socket: NetlinkSocket, addresses: readonly IpAddress[]): number {
  const left = { 4: valuesOf(addresses, 4), 6: valuesOf(addresses, 6) };
  let count = 0;
  for (const request of requests(addresses)) {
    for (const payload of socket.dump(request)) {
      const connection = decodeConnection(payload);
      if (connection === undefined) continue;
      const sources = DIRECTIONS.flatMap((direction) => connection.source[direction] ?? []);
      if (sources.some(({ family, value }) => left[family].has(value))) count += forget(socket, connection);
    }
  }
  return count;
}

function valuesOf(addresses: readonly IpAddress[], family: IpFamily): ReadonlySet<bigint> {
  return new Set(addresses.filter((address) => address.family === family).map(({ value }) => value));
}

/** Of IPv6 the answer to any is all that there are, so one is enough for all addresses. */
function requests(addresses: readonly IpAddress[]): readonly NetlinkRequest[] {
  const ipv4 = addresses.filter(({ family }) => family === 4);
  const ipv6 = addresses.filter(({ family }) => family === 6).slice(0, 1);
  return [
    ...ipv4.flatMap((address) => DIRECTIONS.map((direction) => dumpConnections(address, direction))),
    ...ipv6.map((address) => dumpConnections(address, 'original')),
  ];
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
