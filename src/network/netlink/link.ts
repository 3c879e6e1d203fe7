/**
 * Interfaces ("links") as netlink messages. Pure.
 *
 * ```
 * ifinfomsg:  0        1     2      4         8       12       16
 *             | family | pad | type | ifindex | flags | change | attributes …
 * ```
 */

import { CalicoError } from '../../base/calico-error.ts';
import { type MacAddress, macAddressFromBytes, macAddressToBytes } from '../../base/mac-address.ts';
import {
  attribute,
  attributeText,
  attributeU32,
  decodeAttributes,
  nested,
  readS32,
  readText,
  readU32,
} from './attribute.ts';
import { type NetlinkRequest, NLM_F_CREATE, NLM_F_EXCL } from './header.ts';

const RTM_NEWLINK = 16;
const RTM_DELLINK = 17;
const RTM_GETLINK = 18;

const IFLA_ADDRESS = 1;
const IFLA_IFNAME = 3;
const IFLA_MTU = 4;
const IFLA_LINK = 5;
const IFLA_LINKINFO = 18;
const IFLA_NET_NS_FD = 28;
const IFLA_EXT_MASK = 29;
const IFLA_NUM_TX_QUEUES = 31;
const IFLA_NUM_RX_QUEUES = 32;
const IFLA_LINK_NETNSID = 37;
const IFLA_INFO_KIND = 1;
const IFLA_INFO_DATA = 2;
const VETH_INFO_PEER = 1;
const IFLA_NETKIT_PEER_INFO = 1;
const IFLA_NETKIT_POLICY = 3;
const IFLA_NETKIT_PEER_POLICY = 4;
const IFLA_NETKIT_MODE = 5;
const IFLA_NETKIT_SCRUB = 6;
const IFLA_NETKIT_PEER_SCRUB = 7;
/** With Ethernet headers, MAC addresses and ARP. */
const NETKIT_L2 = 0;
/** What becomes of packets while no program is attached. */
const NETKIT_PASS = 0;
/** Marks and priorities stay on packets that change namespaces. */
const NETKIT_SCRUB_NONE = 0;
const RTEXT_FILTER_SKIP_STATS = 8;

const IFF_UP = 1;
const IFF_RUNNING = 0x40;
const MESSAGE_LENGTH = 16;

/** An interface as the kernel describes it. */
export interface Link {
  readonly ifIndex: number;
  readonly name: string;
  /** Driver: `veth`; `undefined` for physical interfaces and `lo`. */
  readonly kind: string | undefined;
  readonly mac: MacAddress | undefined;
  readonly mtu: number | undefined;
  /** Administratively up. */
  readonly isUp: boolean;
  /** Index of the other end of a pair, counted in the other end's namespace. */
  readonly peerIfIndex: number | undefined;
  /** This namespace's number for the other end's namespace; `undefined` when it is the same one. */
  readonly peerNetnsId: number | undefined;
}

/** One end of a pair that shall be made. */
export interface LinkEnd {
  readonly name: string;
  readonly mac: MacAddress;
  readonly mtu: number | undefined;
  readonly queues: number;
}

/**
 * A veth pair, the second end born in another namespace; addresses, MTU and queues of both are set at birth.
 * `ip link add NAME address MAC mtu MTU numtxqueues Q numrxqueues Q type veth peer name PEER … netns NETNS`
 */
export function addVethPair(end: LinkEnd, peer: LinkEnd, peerNetnsFd: number): NetlinkRequest {
  return addPair('veth', end, [peerInfo(VETH_INFO_PEER, peer, peerNetnsFd)]);
}

/**
 * A netkit pair that forwards like veth until programs are attached; `end` is the primary one. EOPNOTSUPP before Linux
 * 6.7, and where the kernel was built without.
 * `ip link add NAME … type netkit mode l2 forward scrub none peer forward scrub none name PEER … netns NETNS`
 */
export function addNetkitPair(end: LinkEnd, peer: LinkEnd, peerNetnsFd: number): NetlinkRequest {
  return addPair('netkit', end, [
    attributeU32(IFLA_NETKIT_MODE, NETKIT_L2),
    attributeU32(IFLA_NETKIT_POLICY, NETKIT_PASS),
    attributeU32(IFLA_NETKIT_SCRUB, NETKIT_SCRUB_NONE),
    attributeU32(IFLA_NETKIT_PEER_POLICY, NETKIT_PASS),
    attributeU32(IFLA_NETKIT_PEER_SCRUB, NETKIT_SCRUB_NONE),
    peerInfo(IFLA_NETKIT_PEER_INFO, peer, peerNetnsFd),
  ]);
}

function addPair(kind: string, end: LinkEnd, data: readonly Buffer[]): NetlinkRequest {
  return addLink(kind, endAttributes(end), data);
}

function peerInfo(type: number, peer: LinkEnd, netnsFd: number): Buffer {
  return nested(type, [ifInfo(0, 0, 0), ...endAttributes(peer), attributeU32(IFLA_NET_NS_FD, netnsFd)]);
}

/** `ip link set dev INDEX up` */
export function setLinkUp(ifIndex: number): NetlinkRequest {
  return { name: 'RTM_NEWLINK', type: RTM_NEWLINK, flags: 0, payload: ifInfo(ifIndex, IFF_UP, IFF_UP) };
}

/** Older kernels than 6.2 answer EBUSY when the interface is up. `ip link set dev INDEX name NAME` */
export function renameLink(ifIndex: number, name: string): NetlinkRequest {
  const payload = Buffer.concat([ifInfo(ifIndex, 0, 0), attributeText(IFLA_IFNAME, name)]);
  return { name: 'RTM_NEWLINK', type: RTM_NEWLINK, flags: 0, payload };
}

/** Permanent neighbour entries of the interface are lost. `ip link set dev INDEX address MAC` */
export function setLinkMac(ifIndex: number, mac: MacAddress): NetlinkRequest {
  return changeLink(ifIndex, attribute(IFLA_ADDRESS, macAddressToBytes(mac)));
}

/** `ip link set dev INDEX mtu MTU` */
export function setLinkMtu(ifIndex: number, mtu: number): NetlinkRequest {
  return changeLink(ifIndex, attributeU32(IFLA_MTU, mtu));
}

function changeLink(ifIndex: number, change: Buffer): NetlinkRequest {
  const payload = Buffer.concat([ifInfo(ifIndex, 0, 0), change]);
  return { name: 'RTM_NEWLINK', type: RTM_NEWLINK, flags: 0, payload };
}

/** The description of an interface to make: `attributes`, and what only its kind knows. `ip link add … type KIND …` */
export function addLink(
  kind: string,
  attributes: readonly Buffer[],
  data: readonly Buffer[] = [],
): NetlinkRequest {
  const linkInfo = nested(IFLA_LINKINFO, [attributeText(IFLA_INFO_KIND, kind), nested(IFLA_INFO_DATA, data)]);
  const payload = Buffer.concat([ifInfo(0, 0, 0), ...attributes, linkInfo]);
  return { name: 'RTM_NEWLINK', type: RTM_NEWLINK, flags: NLM_F_CREATE | NLM_F_EXCL, payload };
}

/** `name NAME`, `address MAC` and `mtu MTU` of an interface to make. */
export function linkAttributes(link: Partial<Pick<Link, 'name' | 'mac' | 'mtu'>>): readonly Buffer[] {
  return [
    ...present(link.name, (name) => attributeText(IFLA_IFNAME, name)),
    ...present(link.mac, (mac) => attribute(IFLA_ADDRESS, macAddressToBytes(mac))),
    ...present(link.mtu, (mtu) => attributeU32(IFLA_MTU, mtu)),
  ];
}

/** By index, never by name, so that only the very interface that was looked at can go. `ip link del dev INDEX` */
export function deleteLink(ifIndex: number): NetlinkRequest {
  return { name: 'RTM_DELLINK', type: RTM_DELLINK, flags: 0, payload: ifInfo(ifIndex, 0, 0) };
}

/** `ip link show dev NAME` */
export function getLink(name: string): NetlinkRequest {
  return getLinkWith(0, [attributeText(IFLA_IFNAME, name)]);
}

/** `ip link show` for the interface with the index. */
export function getLinkAt(ifIndex: number): NetlinkRequest {
  return getLinkWith(ifIndex, []);
}

/** Every interface. `ip link show` */
export function dumpLinks(): NetlinkRequest {
  return getLinkWith(0, []);
}

/** Without counters, which cost the kernel a loop over all processors. */
function getLinkWith(ifIndex: number, attributes: readonly Buffer[]): NetlinkRequest {
  const noCounters = attributeU32(IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
  const payload = Buffer.concat([ifInfo(ifIndex, 0, 0), ...attributes, noCounters]);
  return { name: 'RTM_GETLINK', type: RTM_GETLINK, flags: 0, payload };
}

/** Reads the payload of an RTM_NEWLINK message. Throws `network` when it is too short for one. */
export function decodeLink(payload: Buffer): Link {
  if (payload.length < MESSAGE_LENGTH) {
    throw new CalicoError('network', `the kernel described an interface in ${payload.length} bytes`);
  }
  const attributes = decodeAttributes(payload.subarray(MESSAGE_LENGTH));
  const info = attributes.get(IFLA_LINKINFO);
  const mac = attributes.get(IFLA_ADDRESS);
  return {
    ifIndex: payload.readInt32LE(4),
    name: readText(attributes.get(IFLA_IFNAME)) ?? '',
    kind: info === undefined ? undefined : readText(decodeAttributes(info).get(IFLA_INFO_KIND)),
    mac: mac?.length === 6 ? macAddressFromBytes(mac) : undefined,
    mtu: readU32(attributes.get(IFLA_MTU)),
    isUp: (payload.readUInt32LE(8) & IFF_UP) !== 0,
    peerIfIndex: readU32(attributes.get(IFLA_LINK)),
    peerNetnsId: readS32(attributes.get(IFLA_LINK_NETNSID)),
  };
}

/** Whether the interface of an RTM_NEWLINK message is set up and has a carrier, or needs none. */
export function isRunning(payload: Buffer): boolean {
  const wanted = IFF_UP | IFF_RUNNING;
  return (payload.readUInt32LE(8) & wanted) === wanted;
}

/** What only the interface's kind knows of it, from an RTM_NEWLINK message; `undefined` when there is nothing. */
export function linkData(payload: Buffer): ReadonlyMap<number, Buffer> | undefined {
  const info = decodeAttributes(payload.subarray(MESSAGE_LENGTH)).get(IFLA_LINKINFO);
  const data = info === undefined ? undefined : decodeAttributes(info).get(IFLA_INFO_DATA);
  return data === undefined ? undefined : decodeAttributes(data);
}

/** Writes what {@link decodeLink} reads: the payload of an RTM_NEWLINK message as the kernel sends it. */
export function encodeLink(link: Link): Buffer {
  return Buffer.concat([
    ifInfo(link.ifIndex, link.isUp ? IFF_UP : 0, 0),
    attributeText(IFLA_IFNAME, link.name),
    ...present(link.mac, (mac) => attribute(IFLA_ADDRESS, macAddressToBytes(mac))),
    ...present(link.mtu, (mtu) => attributeU32(IFLA_MTU, mtu)),
    ...present(link.kind, (kind) => nested(IFLA_LINKINFO, [attributeText(IFLA_INFO_KIND, kind)])),
    ...present(link.peerIfIndex, (index) => attributeU32(IFLA_LINK, index)),
    ...present(link.peerNetnsId, (id) => attributeU32(IFLA_LINK_NETNSID, id)),
  ]);
}

function present<T>(value: T | undefined, encode: (value: T) => Buffer): readonly Buffer[] {
  return value === undefined ? [] : [encode(value)];
}

function endAttributes(end: LinkEnd): readonly Buffer[] {
  return [
    ...linkAttributes(end),
    attributeU32(IFLA_NUM_TX_QUEUES, end.queues),
    attributeU32(IFLA_NUM_RX_QUEUES, end.queues),
  ];
}

function ifInfo(ifIndex: number, flags: number, change: number): Buffer {
  const bytes = Buffer.alloc(MESSAGE_LENGTH);
  bytes.writeInt32LE(ifIndex, 4);
  bytes.writeUInt32LE(flags, 8);
  bytes.writeUInt32LE(change, 12);
  return bytes;
}
