/** Reads the parts of a host from the kernel, and names interfaces instead of numbering them. */

import { offloadsChecksums } from '../../network/checksum-offload.ts';
import { decodeAddress, dumpAddresses, type InterfaceAddress } from '../../network/netlink/address.ts';
import { decodeForwarding, dumpForwarding } from '../../network/netlink/fdb.ts';
import { decodeLink, dumpLinks, isRunning, type Link } from '../../network/netlink/link.ts';
import { decodeNeighbour, dumpNeighbours, NUD_PERMANENT } from '../../network/netlink/neighbour.ts';
import {
  decodeRoute,
  dumpTable,
  metricOf,
  type Route,
  SCOPE_LINK,
  TABLE_MAIN,
  TYPE_BLACKHOLE,
  TYPE_UNICAST,
} from '../../network/netlink/route.ts';
import type { NetlinkSocket } from '../../network/netlink/socket.ts';
import { decodeVxlan, type VxlanDetails } from '../../network/netlink/vxlan.ts';
import { readSysctl } from '../../network/read-sysctl.ts';
import type { FdbEntry, HostNeighbour } from '../desired/desired-host.ts';
import type { HostRoute } from '../host-route.ts';

export interface SeenLink extends Link {
  readonly isRunning: boolean;
  readonly vxlan: VxlanDetails | undefined;
  /** Only of VXLAN devices, and where it is known. */
  readonly offloadsChecksums: boolean | undefined;
}

export function readLinks(socket: NetlinkSocket): readonly SeenLink[] {
  return socket.dump(dumpLinks()).map((payload) => {
    const link = decodeLink(payload);
    const vxlan = decodeVxlan(payload);
    return {
      ...link,
      isRunning: isRunning(payload),
      vxlan,
      offloadsChecksums: vxlan === undefined ? undefined : offloadsChecksums(link.name),
    };
  });
}

export function readAddresses(socket: NetlinkSocket): readonly InterfaceAddress[] {
  return socket.dump(dumpAddresses(0)).flatMap((payload) => decodeAddress(payload) ?? []);
}

/** The permanent ones. */
export function readNeighbours(socket: NetlinkSocket, { ifIndex, name }: Link): readonly HostNeighbour[] {
  return socket.dump(dumpNeighbours(ifIndex)).flatMap((payload) => {
    const found = decodeNeighbour(payload);
    const isOurs = found?.ifIndex === ifIndex && (found.state & NUD_PERMANENT) !== 0;
    if (!isOurs || found.mac === undefined) return [];
    return [{ device: name, address: found.address, mac: found.mac }];
  });
}

/** The permanent ones. */
export function readFdb(socket: NetlinkSocket, { ifIndex, name }: Link): readonly FdbEntry[] {
  return socket.dump(dumpForwarding(ifIndex)).flatMap((payload) => {
    const found = decodeForwarding(payload);
    const isOurs = found?.ifIndex === ifIndex && (found.state & NUD_PERMANENT) !== 0;
    return isOurs ? [{ device: name, mac: found.mac, remote: found.remote }] : [];
  });
}

/** Of the main table. Routes for one type of service stand in nobody's way, so they are left out. */
export function readRoutes(socket: NetlinkSocket, nameOf: (ifIndex: number) => string): readonly HostRoute[] {
  return socket.dump(dumpTable(TABLE_MAIN)).flatMap((payload) => {
    const route = decodeRoute(payload);
    if (route === undefined || route.table !== TABLE_MAIN || route.tos !== undefined) return [];
    return [hostRoute(route, nameOf)];
  });
}

function hostRoute(route: Route, nameOf: (ifIndex: number) => string): HostRoute {
  const type = typeOf(route);
  const hasDevice = route.ifIndex !== undefined && type !== 'blackhole';
  return {
    destination: route.destination,
    table: route.table,
    metric: metricOf(route),
    protocol: route.protocol,
    type,
    device: hasDevice ? nameOf(route.ifIndex) : undefined,
    gateway: route.gateway,
    isOnLink: route.isOnLink === true,
    scope: route.scope === SCOPE_LINK ? 'link' : 'global',
    mtu: route.mtu,
    source: route.source,
  };
}

function typeOf({ type, hasOtherNextHops }: Route): HostRoute['type'] {
  if (type === TYPE_BLACKHOLE) return 'blackhole';
  return type === TYPE_UNICAST && hasOtherNextHops !== true ? 'unicast' : 'other';
}

/** One that is not there, or cannot be read, is left out. */
export function readSwitches(keys: Iterable<string>): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  for (const key of keys) {
    const value = readIfPossible(key);
    if (value !== undefined) values.set(key, value);
  }
  return values;
}

function readIfPossible(key: string): string | undefined {
  try {
    return readSysctl(key);
  } catch {
    return undefined;
  }
}
