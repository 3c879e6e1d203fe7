/** What a notice of the kernel means for what is known of the host. Pure. */

import type { IpFamily } from '../../base/ip-address.ts';
import { readText } from '../../network/netlink/attribute.ts';
import { ipFamily } from '../../network/netlink/family.ts';
import { AF_BRIDGE } from '../../network/netlink/fdb.ts';
import type { NetlinkMessage } from '../../network/netlink/header.ts';
import { decodeLink } from '../../network/netlink/link.ts';
import { decodeFilterMessage, isFilterMessage } from '../../network/netlink/nftables/message.ts';
import { decodeRoute, TABLE_MAIN } from '../../network/netlink/route.ts';
import { ALL_PARTS, type HostPart } from './host-part.ts';
import type { RouteInterest } from './interest.ts';

const RTM_NEWLINK = 16;
const RTM_DELLINK = 17;
const RTM_NEWADDR = 20;
const RTM_DELADDR = 21;
const RTM_NEWROUTE = 24;
const RTM_DELROUTE = 25;
const RTM_NEWNEIGH = 28;
const RTM_DELNEIGH = 29;
const RTM_NEWNETCONF = 80;
const NUD_PERMANENT = 0x80;

export interface OurDevices extends RouteInterest {
  readonly names: readonly string[];
  readonly indexes: ReadonlySet<number>;
}

/**
 * The parts to read again; none when it is about what we have done ourselves, with the socket of this number, about
 * others' neighbours or routes to their pods. The kernel does not tell of routes that go with a link or an address, so
 * these mean routes too, if any can go with them.
 */
export function outdatedBy(
  message: NetlinkMessage,
  ours: OurDevices,
  ownPortId: number,
): readonly HostPart[] {
  switch (message.type) {
    case RTM_NEWLINK:
    case RTM_DELLINK:
      return outdatedByLink(message.payload, ours);
    case RTM_NEWADDR:
    case RTM_DELADDR:
      return message.portId === ownPortId ? [] : withRoutes(message.payload.readInt32LE(4), ours);
    case RTM_NEWROUTE:
    case RTM_DELROUTE:
      if (message.portId === ownPortId || !isOfInterest(message.payload, ours)) return [];
      return message.type === RTM_DELROUTE ? withItsLink('routes') : ['routes'];
    case RTM_NEWNEIGH:
    case RTM_DELNEIGH:
      return message.portId === ownPortId ? [] : outdatedByNeighbour(message, ours);
    case RTM_NEWNETCONF:
      return ['switches'];
    default:
      return [];
  }
}

/** The interface of a pod that is here, when somebody else has taken a route to it away; `undefined`: nobody has. */
export function podRouteLost(
  { type, payload, portId }: NetlinkMessage,
  ours: OurDevices,
  ownPortId: number,
): number | undefined {
  if (type !== RTM_DELROUTE || portId === ownPortId) return undefined;
  const route = decodeRoute(payload);
  return route?.table === TABLE_MAIN && ours.isToPod(route) ? route.ifIndex : undefined;
}

const ALL_LINK_PARTS = ALL_PARTS.filter((part) => part !== 'switches' && part !== 'surroundings');

function outdatedByLink(payload: Buffer, ours: OurDevices): readonly HostPart[] {
  const { name, ifIndex } = decodeLink(payload);
  return ours.names.includes(name) ? ALL_LINK_PARTS : withRoutes(ifIndex, ours);
}

function withRoutes(ifIndex: number, ours: OurDevices): readonly HostPart[] {
  return ours.carriesAny(ifIndex) ? ['links', 'routes'] : ['links'];
}

function isOfInterest(payload: Buffer, ours: OurDevices): boolean {
  const route = decodeRoute(payload);
  return route !== undefined && route.table === TABLE_MAIN && ours.isOfInterest(route);
}

/** An entry that goes may have lost its state before. */
function outdatedByNeighbour({ type, payload }: NetlinkMessage, ours: OurDevices): readonly HostPart[] {
  if (payload.length < 12 || !ours.indexes.has(payload.readInt32LE(4))) return [];
  const part = payload.readUInt8(0) === AF_BRIDGE ? 'fdb' : 'neighbours';
  if (type === RTM_DELNEIGH) return withItsLink(part);
  const isPermanent = (payload.readUInt16LE(8) & NUD_PERMANENT) !== 0;
  return isPermanent || part === 'fdb' ? [part] : [];
}

/** What goes may go with its link, of which the kernel tells last: on one that is gone, or down, nothing can be put back. */
function withItsLink(part: HostPart): readonly HostPart[] {
  return ['links', part];
}

/** The family of the table of this name that somebody else has changed; `undefined`: none. */
export function changedTable(
  message: NetlinkMessage,
  tableName: string,
  ownPortId: number | undefined,
): IpFamily | undefined {
  const isOwn = message.portId !== undefined && message.portId === ownPortId;
  if (isOwn || !isFilterMessage(message.type)) return undefined;
  const { addressFamily, attributes } = decodeFilterMessage(message.payload);
  return readText(attributes.get(1)) === tableName ? ipFamily(addressFamily) : undefined;
}
