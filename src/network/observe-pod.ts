/** Looks at what a pod's network is now. Few questions: two when nothing is there yet, eight for a wired pod. */

import type { IpAddress } from '../base/ip-address.ts';
import { findLink } from './find-link.ts';
import { findHostRoute } from './find-route.ts';
import type { Kernel } from './kernel.ts';
import { decodeAddress, dumpAddresses, type InterfaceAddress } from './netlink/address.ts';
import type { Link } from './netlink/link.ts';
import { decodeNeighbour, dumpNeighbours, type Neighbour } from './netlink/neighbour.ts';
import { decodeRoute, dumpRoutes, type Route, TABLE_MAIN } from './netlink/route.ts';
import type { NetlinkSocket } from './netlink/socket.ts';
import { arePair } from './other-end.ts';

export interface ObservedEnd {
  readonly link: Link;
  readonly addresses: readonly InterfaceAddress[];
}

export interface ObservedContainerEnd extends ObservedEnd {
  /** Routes of the pod's main table over this interface. */
  readonly routes: readonly Route[];
  readonly neighbours: readonly Neighbour[];
}

export interface ObservedPod {
  /** The interface in the sandbox; `undefined` when its name is free. */
  readonly container: ObservedContainerEnd | undefined;
  /** The interface on the host; `undefined` when its name is free. */
  readonly host: ObservedEnd | undefined;
  /** Whether the two are the ends of one pair. */
  readonly isPair: boolean;
  /** Main-table routes to the asked addresses, whatever interface they use. */
  readonly hostRoutes: readonly Route[];
}

export interface Observing {
  readonly containerIfName: string;
  readonly hostIfName: string;
  /** Addresses to look for in the host's routes. */
  readonly addresses?: readonly IpAddress[];
}

/** Throws {@link KernelError} when the kernel does not answer. */
export function observePod(kernel: Kernel, what: Observing): ObservedPod {
  const containerLink = findLink(kernel.pod, what.containerIfName);
  const hostLink = findLink(kernel.host, what.hostIfName);
  return {
    container: containerLink && observeContainerEnd(kernel.pod, containerLink),
    host: hostLink && observeEnd(kernel.host, hostLink),
    isPair: containerLink !== undefined && hostLink !== undefined && arePair(kernel, containerLink, hostLink),
    hostRoutes: (what.addresses ?? []).flatMap((address) => findHostRoute(kernel.host, address) ?? []),
  };
}

function observeContainerEnd(pod: NetlinkSocket, link: Link): ObservedContainerEnd {
  const isOurs = (entry: { readonly ifIndex: number | undefined }) => entry.ifIndex === link.ifIndex;
  const routes = decodeAll(pod.dump(dumpRoutes()), decodeRoute);
  const neighbours = decodeAll(pod.dump(dumpNeighbours(link.ifIndex)), decodeNeighbour);
  return {
    ...observeEnd(pod, link),
    routes: routes.filter((route) => isOurs(route) && route.table === TABLE_MAIN),
    neighbours: neighbours.filter(isOurs),
  };
}

function observeEnd(socket: NetlinkSocket, link: Link): ObservedEnd {
  const addresses = decodeAll(socket.dump(dumpAddresses(link.ifIndex)), decodeAddress);
  return { link, addresses: addresses.filter((address) => address.ifIndex === link.ifIndex) };
}

function decodeAll<T>(entries: readonly Buffer[], decode: (entry: Buffer) => T | undefined): readonly T[] {
  return entries.flatMap((entry) => decode(entry) ?? []);
}
