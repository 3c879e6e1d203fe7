/**
 * Connections of pods that are not here any more, or behind another interface: what the kernel remembers of them must not
 * decide about packets of whoever gets the address next.
 */

import { hostCidr, sameCidr } from '../../base/cidr.ts';
import type { IpAddress } from '../../base/ip-address.ts';
import { forgetConnections } from '../../network/forget-connections.ts';
import type { NetlinkSocket } from '../../network/netlink/socket.ts';
import type { HostRoute } from '../host-route.ts';

export interface FlowForgetter extends Disposable {
  /** Routes to pods as they are wanted, and all that there are: what had one and has none any more is forgotten, soon. */
  see(podRoutes: readonly HostRoute[], routes: readonly HostRoute[]): void;
}

/** By interface and address. */
export type PodWays = ReadonlyMap<string, IpAddress>;

/** Those of the pods, and of the former ones, that are in the kernel. Pure. */
export function podWays(
  former: PodWays,
  podRoutes: readonly HostRoute[],
  routes: readonly HostRoute[],
): PodWays {
  const known = new Map(former);
  for (const route of podRoutes) {
    const way = wayOf(route);
    if (way !== undefined) known.set(...way);
  }
  return new Map(routes.flatMap((route) => ways(route, known)));
}

/** The addresses that have left: each is told once. Pure. */
export function leftAddresses(former: PodWays, now: PodWays): readonly IpAddress[] {
  return Array.from(former)
    .filter(([way]) => !now.has(way))
    .map(([, address]) => address);
}

function ways(route: HostRoute, known: PodWays): readonly [string, IpAddress][] {
  const way = wayOf(route);
  return way !== undefined && known.has(way[0]) ? [way] : [];
}

/** `undefined` for what is no route to a pod: those have a device, no gateway and a single address. */
function wayOf({ device, gateway, destination }: HostRoute): [string, IpAddress] | undefined {
  if (device === undefined || gateway !== undefined) return undefined;
  const address = { family: destination.family, value: destination.base };
  return sameCidr(destination, hostCidr(address))
    ? [`${device} ${address.family} ${address.value}`, address]
    : undefined;
}

/** `filter`: a socket of the packet filter. One address at a time, so that routes do not wait for it. */
export function createForgetter(filter: () => NetlinkSocket): FlowForgetter {
  let former: PodWays = new Map();
  let seen: { readonly podRoutes: readonly HostRoute[]; readonly routes: readonly HostRoute[] } | undefined;
  let waiting: readonly IpAddress[] = [];
  let timer: NodeJS.Immediate | undefined;

  function next(): void {
    const [address, ...rest] = waiting;
    waiting = rest;
    timer = undefined;
    if (address === undefined) return;
    try {
      forgetConnections(filter(), address);
    } catch {
      // A kernel that does not tell of its connections forgets them by itself, in time.
      waiting = [];
    }
    arm();
  }

  function arm(): void {
    if (waiting.length > 0) timer ??= setImmediate(next);
  }
  return {
    see: (podRoutes, routes) => {
      if (podRoutes === seen?.podRoutes && routes === seen.routes) return;
      seen = { podRoutes, routes };
      const now = podWays(former, podRoutes, routes);
      waiting = [...waiting, ...leftAddresses(former, now)];
      former = now;
      arm();
    },
    [Symbol.dispose]: () => clearImmediate(timer),
  };
}
