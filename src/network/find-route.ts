/** Looks for routes to one address: the one that decides, and the one of the main table to exactly that address. */

import { hostCidr, sameCidr } from '../base/cidr.ts';
import type { IpAddress } from '../base/ip-address.ts';
import { isKernelError } from './kernel-error.ts';
import { decodeRoute, dumpRoutes, matchRoute, type Route, TABLE_MAIN } from './netlink/route.ts';
import type { NetlinkSocket } from './netlink/socket.ts';

/**
 * The route to the /32 or /128 of the address, by one lookup. `undefined` when there is none, and also when
 * a rule or another table hides it: {@link searchHostRoute} sees that one too.
 */
export function findHostRoute(socket: NetlinkSocket, address: IpAddress): Route | undefined {
  const route = findRoute(socket, address);
  return route !== undefined && isHostRoute(route, address) ? route : undefined;
}

/** The table entry by which a packet to the address would leave; `undefined` when none would. */
export function findRoute(socket: NetlinkSocket, address: IpAddress): Route | undefined {
  try {
    return decodeRoute(socket.get(matchRoute(address)));
  } catch (error) {
    // Blackhole, unreachable and prohibit routes answer with their own error numbers.
    if (isKernelError(error, 'ENETUNREACH', 'EHOSTUNREACH', 'EINVAL', 'EACCES')) return undefined;
    throw error;
  }
}

/** Like {@link findHostRoute}, but reads the whole table if the lookup finds nothing. */
export function searchHostRoute(socket: NetlinkSocket, address: IpAddress): Route | undefined {
  const found = findHostRoute(socket, address);
  if (found !== undefined) return found;
  return socket
    .dump(dumpRoutes())
    .map(decodeRoute)
    .find((route) => route !== undefined && isHostRoute(route, address));
}

function isHostRoute(route: Route, address: IpAddress): boolean {
  return route.table === TABLE_MAIN && sameCidr(route.destination, hostCidr(address));
}
