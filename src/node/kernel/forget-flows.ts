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
  /** What had a way to it and has none any more is forgotten, soon. */
  see(seen: SeenWays): void;
}

export interface SeenWays {
  /** To pods whose interface is there, as they are wanted. */
  readonly podRoutes: readonly HostRoute[];
  /** All that there are; of pods, as they were at some time. */
  readonly routes: readonly HostRoute[];
  /** All that there are now. */
  readonly links: readonly { readonly name: string }[];
}

/** By interface and address. */
export type PodWays = ReadonlyMap<string, IpAddress>;

/**
 * Those of the pods, and the former ones that are in the kernel still, while the endpoint has gone already. A route goes
 * with its interface. Pure.
 */
export function podWays(former: PodWays, { podRoutes, routes, links }: SeenWays): PodWays {
  const names = new Set(links.map(({ name }) => name));
  const isThere = ({ device }: HostRoute) => device !== undefined && names.has(device);
  return new Map([
    ...podRoutes.flatMap(waysOf),
    ...routes
      .filter(isThere)
      .flatMap(waysOf)
      .filter(([way]) => former.has(way)),
  ]);
}

/** The addresses that have left: each is told once. Pure. */
export function leftAddresses(former: PodWays, now: PodWays): readonly IpAddress[] {
  return Array.from(former)
    .filter(([way]) => !now.has(way))
    .map(([, address]) => address);
}

/** None of what is no route to a pod: those have a device, no gateway and a single address. */
function waysOf({ device, gateway, destination }: HostRoute): readonly (readonly [string, IpAddress])[] {
  if (device === undefined || gateway !== undefined) return [];
  const address = { family: destination.family, value: destination.base };
  return sameCidr(destination, hostCidr(address))
    ? [[`${device} ${address.family} ${address.value}`, address]]
    : [];
}

/** So many as one look at the kernel's connections is enough for: of IPv4 one, of IPv6 all. */
function firstOf(waiting: readonly IpAddress[]): readonly IpAddress[] {
  return waiting[0]?.family === 6 ? waiting.filter(({ family }) => family === 6) : waiting.slice(0, 1);
}

/** `filter`: a socket of the packet filter. One look at a time, so that routes do not wait for all. */
export function createForgetter(filter: () => NetlinkSocket): FlowForgetter {
  let former: PodWays = new Map();
  let seen: SeenWays | undefined;
  let waiting: readonly IpAddress[] = [];
  let timer: NodeJS.Immediate | undefined;

  function next(): void {
    const addresses = firstOf(waiting);
    waiting = waiting.filter((address) => !addresses.includes(address));
    timer = undefined;
    try {
      forgetConnections(filter(), addresses);
    } catch {
      // The kernel forgets them by itself, in time.
    }
    arm();
  }

  function arm(): void {
    if (waiting.length > 0) timer ??= setImmediate(next);
  }
  return {
    see: (now) => {
      const { podRoutes, routes, links } = now;
      if (podRoutes === seen?.podRoutes && routes === seen.routes && links === seen.links) return;
      seen = now;
      const ways = podWays(former, now);
      waiting = [...waiting, ...leftAddresses(former, ways)];
      former = ways;
      arm();
    },
    [Symbol.dispose]: () => clearImmediate(timer),
  };
}
