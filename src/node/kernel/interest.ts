/**
 * Which notices of routes matter: not those of pods, which come and go all the time and are the CNI plugin's. Pure.
 */

import type { Cidr } from '../../base/cidr.ts';
import { addressBits, isLinkLocal } from '../../base/ip-address.ts';
import type { Route } from '../../network/netlink/route.ts';
import { type HostRoute, ROUTE_PROTOCOL } from '../host-route.ts';

/** What is known of the host, and wanted of it. */
export interface Known {
  readonly links: readonly { readonly name: string; readonly ifIndex: number }[];
  readonly routes: readonly HostRoute[];
  readonly wanted: readonly HostRoute[];
  /** To pods whose interface is there. */
  readonly pods: readonly HostRoute[];
  /** Interfaces that are ours by name. */
  readonly ourNames: readonly string[];
}

export interface RouteInterest {
  /** Whether a route that somebody else has made or taken away may matter. */
  readonly isOfInterest: (route: Route) => boolean;
  /** Whether a route is the way to a pod that is here. */
  readonly isToPod: (route: Route) => boolean;
  /** Whether a route that matters may go with the interface. */
  readonly carriesAny: (ifIndex: number) => boolean;
}

/** IPv6 blackholes are on it, although they have no device. */
const LOOPBACK = 'lo';

export function routeInterest({ links, routes, wanted, pods, ourNames }: Known): RouteInterest {
  const names = new Map(links.map(({ ifIndex, name }) => [ifIndex, name]));
  const isOurs = ({ protocol, device }: HostRoute) =>
    protocol === ROUTE_PROTOCOL || (device !== undefined && ourNames.includes(device));
  const places = new Set(
    [...wanted, ...routes.filter(isOurs)]
      .map(({ destination }) => destination)
      .filter(isHost)
      .map(placeOf),
  );
  const podPlaces = new Set(pods.map(({ destination, device }) => `${placeOf(destination)} ${device}`));
  const isElsewhere = (destination: Cidr) =>
    // The kernel has some for every interface.
    isLinkLocal({ family: destination.family, value: destination.base }) ||
    (isHost(destination) && !places.has(placeOf(destination)));
  const carriers = new Set(
    routes.filter((route) => isOurs(route) || !isElsewhere(route.destination)).map(({ device }) => device),
  );
  return {
    isOfInterest: ({ protocol, ifIndex, destination }) =>
      protocol === ROUTE_PROTOCOL ||
      !isElsewhere(destination) ||
      (ifIndex !== undefined && ourNames.includes(names.get(ifIndex) ?? '')),
    isToPod: ({ ifIndex, destination }) =>
      ifIndex !== undefined && podPlaces.has(`${placeOf(destination)} ${names.get(ifIndex)}`),
    carriesAny: (ifIndex) => {
      const name = names.get(ifIndex);
      return name === LOOPBACK || (name !== undefined && carriers.has(name));
    },
  };
}

function isHost({ family, prefixLength }: Cidr): boolean {
  return prefixLength === addressBits(family);
}

function placeOf({ family, base }: Cidr): string {
  return `${family} ${base}`;
}
