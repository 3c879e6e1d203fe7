/**
 * Routes as netlink messages. Pure.
 *
 * ```
 * rtmsg:  0        1         2         3     4       5          6       7      8       12
 *         | family | dst len | src len | tos | table | protocol | scope | type | flags | attributes …
 * ```
 */

import { baseAddress, type Cidr, cidrOf, hostCidr } from '../../base/cidr.ts';
import {
  addressBits,
  type IpAddress,
  type IpFamily,
  ipAddressFromBytes,
  ipAddressToBytes,
} from '../../base/ip-address.ts';
import { attribute, attributeU32, decodeAttributes, nested, readU32 } from './attribute.ts';
import { addressFamily, ipFamily } from './family.ts';
import { type NetlinkRequest, NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE } from './header.ts';

const RTM_NEWROUTE = 24;
const RTM_DELROUTE = 25;
const RTM_GETROUTE = 26;

const RTA_DST = 1;
const RTA_OIF = 4;
const RTA_GATEWAY = 5;
const RTA_PRIORITY = 6;
const RTA_PREFSRC = 7;
const RTA_METRICS = 8;
const RTA_MULTIPATH = 9;
const RTA_TABLE = 15;
const RTA_VIA = 18;
const RTA_ENCAP = 22;
const RTA_NH_ID = 30;
/** A next hop that {@link Route} cannot describe. */
const OTHER_NEXT_HOPS = [RTA_MULTIPATH, RTA_VIA, RTA_ENCAP, RTA_NH_ID];
const RTAX_MTU = 2;
const RTNH_F_ONLINK = 4;

/** Answer with the table's entry, not with the way one packet would take. */
const RTM_F_FIB_MATCH = 0x2000;
const MESSAGE_LENGTH = 12;

export const TABLE_MAIN = 254;
/** Added by hand or by a program that runs once, as CNI plugins are. */
export const PROTOCOL_BOOT = 3;
/**
 * Of every route that the node agent writes, and only of those. Not in `rt_protos` of iproute2, and none of the numbers
 * that Calico's own parts use (3 boot and 80 for Felix, 12 for BIRD), so that whose a route is can be seen.
 */
export const PROTOCOL_NODE_AGENT = 202;
export const TYPE_UNICAST = 1;
/** Packets vanish without a word. */
export const TYPE_BLACKHOLE = 6;
export const SCOPE_GLOBAL = 0;
export const SCOPE_LINK = 253;

const DEFAULT_METRIC: Readonly<Record<IpFamily, number>> = { 4: 0, 6: 1024 };

export interface Route {
  readonly destination: Cidr;
  readonly gateway: IpAddress | undefined;
  /** Outgoing interface; `undefined` for blackholes and for routes over several next hops. */
  readonly ifIndex: number | undefined;
  readonly table: number;
  readonly protocol: number;
  /** IPv6 routes are always stored as global. */
  readonly scope: number;
  readonly type: number;
  /** Of several routes to one destination the lowest wins; `undefined`: the kernel's default, see {@link metricOf}. */
  readonly metric: number | undefined;
  /** The gateway is reachable on the interface, whatever other routes say. */
  readonly isOnLink?: boolean;
  /** Bytes; that of the interface when it is not said. */
  readonly mtu?: number | undefined;
  /** What the host's own packets get as their source. */
  readonly source?: IpAddress | undefined;
  /** Type of service, IPv4: routes that differ in it alone stand beside each other. */
  readonly tos?: number;
  /** Several next hops, or one with more than a gateway and an interface. */
  readonly hasOtherNextHops?: boolean;
}

/** Fails with EEXIST when the table has a route to the destination. `ip route add DST via GW dev INDEX scope SCOPE` */
export function addRoute(route: Route): NetlinkRequest {
  const flags = NLM_F_CREATE | NLM_F_EXCL;
  return { name: 'RTM_NEWROUTE', type: RTM_NEWROUTE, flags, payload: encodeRoute(route) };
}

/**
 * Puts it in the place of the one with the same destination, table and metric, whoever's that is, or adds it.
 * `ip route replace …`
 */
export function replaceRoute(route: Route): NetlinkRequest {
  const flags = NLM_F_CREATE | NLM_F_REPLACE;
  return { name: 'RTM_NEWROUTE', type: RTM_NEWROUTE, flags, payload: encodeRoute(route) };
}

/** Removes exactly this route; ESRCH when there is none such. `ip route del DST dev INDEX` */
export function deleteRoute(route: Route): NetlinkRequest {
  return { name: 'RTM_DELROUTE', type: RTM_DELROUTE, flags: 0, payload: encodeRoute(route) };
}

/** The table entry that decides about one address; ENETUNREACH when there is none. `ip route get fibmatch ADDRESS` */
export function matchRoute(address: IpAddress): NetlinkRequest {
  const host = hostCidr(address);
  const header = routeHeader(host, { table: 0, protocol: 0, scope: 0, type: 0 }, RTM_F_FIB_MATCH);
  const payload = Buffer.concat([header, attribute(RTA_DST, ipAddressToBytes(address))]);
  return { name: 'RTM_GETROUTE', type: RTM_GETROUTE, flags: 0, payload };
}

/** Every route of both families; the tables are left to the reader. `ip route show table all; ip -6 route show table all` */
export function dumpRoutes(): NetlinkRequest {
  const payload = Buffer.alloc(MESSAGE_LENGTH);
  return { name: 'RTM_GETROUTE', type: RTM_GETROUTE, flags: 0, payload };
}

/** The routes of one table, both families; kernels without strict checking answer with every table. `ip route show table TABLE` */
export function dumpTable(table: number): NetlinkRequest {
  const payload = Buffer.concat([Buffer.alloc(MESSAGE_LENGTH), attributeU32(RTA_TABLE, table)]);
  return { name: 'RTM_GETROUTE', type: RTM_GETROUTE, flags: 0, payload };
}

/** The payload of an RTM_NEWROUTE message. */
export function encodeRoute(route: Route): Buffer {
  const { destination, gateway, ifIndex } = route;
  const parts: Buffer[] = [routeHeader(destination, route, route.isOnLink === true ? RTNH_F_ONLINK : 0)];
  if (destination.prefixLength > 0) {
    parts.push(attribute(RTA_DST, ipAddressToBytes(baseAddress(destination))));
  }
  if (gateway !== undefined) parts.push(attribute(RTA_GATEWAY, ipAddressToBytes(gateway)));
  if (ifIndex !== undefined) parts.push(attributeU32(RTA_OIF, ifIndex));
  if (route.metric !== undefined) parts.push(attributeU32(RTA_PRIORITY, route.metric));
  if (route.source !== undefined) parts.push(attribute(RTA_PREFSRC, ipAddressToBytes(route.source)));
  if (route.mtu !== undefined) parts.push(nested(RTA_METRICS, [attributeU32(RTAX_MTU, route.mtu)]));
  parts.push(attributeU32(RTA_TABLE, route.table));
  return Buffer.concat(parts);
}

/** Reads the payload of an RTM_NEWROUTE message; `undefined` when it is neither IPv4 nor IPv6. */
export function decodeRoute(payload: Buffer): Route | undefined {
  if (payload.length < MESSAGE_LENGTH) return undefined;
  const attributes = decodeAttributes(payload.subarray(MESSAGE_LENGTH));
  const destination = decodeDestination(payload, attributes.get(RTA_DST));
  if (destination === undefined) return undefined;
  return {
    destination,
    gateway: decodeIpAddress(attributes.get(RTA_GATEWAY)),
    ifIndex: readU32(attributes.get(RTA_OIF)),
    table: readU32(attributes.get(RTA_TABLE)) ?? payload.readUInt8(4),
    protocol: payload.readUInt8(5),
    scope: payload.readUInt8(6),
    type: payload.readUInt8(7),
    metric: readU32(attributes.get(RTA_PRIORITY)),
    ...decodeDetails(payload, attributes),
  };
}

/** What most routes have not is left out. */
function decodeDetails(payload: Buffer, attributes: ReadonlyMap<number, Buffer>): Partial<Route> {
  const metrics = attributes.get(RTA_METRICS);
  const mtu = metrics === undefined ? undefined : readU32(decodeAttributes(metrics).get(RTAX_MTU));
  const source = decodeIpAddress(attributes.get(RTA_PREFSRC));
  const tos = payload.readUInt8(3);
  return {
    ...((payload.readUInt32LE(8) & RTNH_F_ONLINK) === 0 ? {} : { isOnLink: true }),
    ...(mtu === undefined ? {} : { mtu }),
    ...(source === undefined ? {} : { source }),
    ...(tos === 0 ? {} : { tos }),
    ...(OTHER_NEXT_HOPS.some((type) => attributes.has(type)) ? { hasOtherNextHops: true } : {}),
  };
}

/** The address is left out of a default route. */
function decodeDestination(payload: Buffer, bytes: Buffer | undefined): Cidr | undefined {
  const family = ipFamily(payload.readUInt8(0));
  const prefixLength = payload.readUInt8(1);
  if (family === undefined || prefixLength > addressBits(family)) return undefined;
  const address = bytes === undefined ? { family, value: 0n } : decodeIpAddress(bytes);
  return address?.family === family ? cidrOf(address, prefixLength) : undefined;
}

function decodeIpAddress(bytes: Buffer | undefined): IpAddress | undefined {
  return bytes?.length === 4 || bytes?.length === 16 ? ipAddressFromBytes(bytes) : undefined;
}

/** The metric a route has or, while the kernel has not said it, will have. */
export function metricOf({ metric, destination }: Pick<Route, 'metric' | 'destination'>): number {
  return metric ?? DEFAULT_METRIC[destination.family];
}

type RouteKind = Pick<Route, 'table' | 'protocol' | 'scope' | 'type'>;

function routeHeader(destination: Cidr, kind: RouteKind, flags: number): Buffer {
  const bytes = Buffer.alloc(MESSAGE_LENGTH);
  bytes.writeUInt8(addressFamily(destination.family), 0);
  bytes.writeUInt8(destination.prefixLength, 1);
  // Table numbers above 255 travel in their attribute only.
  bytes.writeUInt8(kind.table > 255 ? 0 : kind.table, 4);
  bytes.writeUInt8(kind.protocol, 5);
  bytes.writeUInt8(kind.scope, 6);
  bytes.writeUInt8(kind.type, 7);
  bytes.writeUInt32LE(flags, 8);
  return bytes;
}
