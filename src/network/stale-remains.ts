/** What the host still has of containers that are gone: interfaces by their names, and routes to addresses. */

import { formatIpAddress, type IpAddress } from '../base/ip-address.ts';
import { findLink, findLinkAt } from './find-link.ts';
import { findHostRoute } from './find-route.ts';
import { isKernelError } from './kernel-error.ts';
import type { Link } from './netlink/link.ts';
import { deleteRoute, type Route } from './netlink/route.ts';
import { type NetlinkSocket, openNetlinkSocket } from './netlink/socket.ts';
import { removeSeenHostLink } from './remove-pod.ts';

/** Those of the names that interfaces of the host have now. Throws {@link KernelError}. */
export function seeHostLinks(names: Iterable<string>): readonly Link[] {
  using host = openNetlinkSocket();
  return [...new Set(names)].flatMap((name) => findLink(host, name) ?? []);
}

/**
 * Removes the interfaces, several at a time: the kernel waits for most of that. Gives a warning for each that is left,
 * because pods have others. Throws `network` or `unavailable` as soon as all are through, for the first that failed.
 */
export async function removeHostLinks(links: readonly Link[]): Promise<readonly string[]> {
  const outcomes = await Promise.allSettled(links.map(removeSeenHostLink));
  return outcomes.flatMap((outcome) => {
    if (outcome.status === 'rejected') throw outcome.reason;
    return outcome.value ?? [];
  });
}

/**
 * Removes the routes to the addresses over interfaces of these names, which stayed because others use them. Gives a
 * warning for each route over another interface, which is left. Throws {@link KernelError}.
 */
export function removeHostRoutes(
  addresses: readonly IpAddress[],
  ifNames: ReadonlySet<string>,
): readonly string[] {
  using host = openNetlinkSocket();
  return addresses.flatMap((address) => {
    const route = findHostRoute(host, address);
    if (route === undefined) return [];
    const ifName = route.ifIndex === undefined ? undefined : findLinkAt(host, route.ifIndex)?.name;
    if (ifName !== undefined && ifNames.has(ifName)) return removeRoute(host, route);
    return [`the route to ${formatIpAddress(address)} over ${ifName ?? 'no interface'} was left alone`];
  });
}

function removeRoute(host: NetlinkSocket, route: Route): readonly string[] {
  try {
    host.change(deleteRoute(route));
  } catch (error) {
    if (!isKernelError(error, 'ESRCH')) throw error;
  }
  return [];
}
