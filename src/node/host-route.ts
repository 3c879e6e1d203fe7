/** A route of the host, as wanted and as found. Pure. */

import { type Cidr, sameCidr } from '../base/cidr.ts';
import { type IpAddress, type IpFamily, sameAddress } from '../base/ip-address.ts';
import { PROTOCOL_BOOT, PROTOCOL_NODE_AGENT } from '../network/netlink/route.ts';

/** The protocol number of every route this agent writes, and only of those. */
export const ROUTE_PROTOCOL = PROTOCOL_NODE_AGENT;
/** What the CNI plugin writes to routes of pods. */
export const PLUGIN_PROTOCOL = PROTOCOL_BOOT;
/** Felix marks what it does not mark as boot with this. */
export const FELIX_PROTOCOL = 80;
export const BIRD_PROTOCOL = 12;
export const KERNEL_PROTOCOL = 2;
export const MAIN_TABLE = 254;

/** What the kernel makes of a route without a metric. */
export const DEFAULT_METRIC: Readonly<Record<IpFamily, number>> = { 4: 0, 6: 1024 };

export interface HostRoute {
  readonly destination: Cidr;
  readonly table: number;
  /** Never 0 in IPv6, where the kernel makes 1024 of it. */
  readonly metric: number;
  readonly protocol: number;
  /** `other`: a type or a set of next hops that this agent never writes. */
  readonly type: 'unicast' | 'blackhole' | 'other';
  /** Name of the outgoing interface; `undefined` for blackholes, although IPv6 has those on `lo`. */
  readonly device: string | undefined;
  readonly gateway: IpAddress | undefined;
  /** The gateway is reachable on the device whatever other routes say. */
  readonly isOnLink: boolean;
  /** IPv6 routes are always stored as global. */
  readonly scope: 'global' | 'link';
  /** Bytes; `undefined`: that of the device. */
  readonly mtu: number | undefined;
  /** Address that the host's own packets get on this route. */
  readonly source: IpAddress | undefined;
}

/** Routes live long and are compared often. */
const keys = new WeakMap<HostRoute, string>();

/** Equal for two routes of which the kernel holds only one: one replaces the other. */
export function routeKey(route: HostRoute): string {
  return keys.getOrInsertComputed(route, ({ table, metric, destination: { family, base, prefixLength } }) =>
    [table, metric, family, base, prefixLength].join(' '),
  );
}

/** Whether the kernel holds the one when the other is asked for. */
export function sameRoute(a: HostRoute, b: HostRoute): boolean {
  return (
    a.type === b.type &&
    a.protocol === b.protocol &&
    (a.type === 'blackhole' || a.device === b.device) &&
    sameOptionalAddress(a.gateway, b.gateway) &&
    a.isOnLink === b.isOnLink &&
    (a.type === 'blackhole' || a.scope === b.scope) &&
    a.mtu === b.mtu &&
    sameOptionalAddress(a.source, b.source) &&
    sameCidr(a.destination, b.destination)
  );
}

function sameOptionalAddress(a: IpAddress | undefined, b: IpAddress | undefined): boolean {
  return a === undefined || b === undefined ? a === b : sameAddress(a, b);
}
