/**
 * Neighbour entries (ARP and NDP) as netlink messages. Pure.
 *
 * ```
 * ndmsg:  0        1    2     4         8       10      11     12
 *         | family | pad| pad | ifindex | state | flags | type | attributes …
 * ```
 */

import { type IpAddress, ipAddressFromBytes, ipAddressToBytes } from '../../base/ip-address.ts';
import { type MacAddress, macAddressFromBytes, macAddressToBytes } from '../../base/mac-address.ts';
import { attribute, attributeU32, decodeAttributes } from './attribute.ts';
import { addressFamily } from './family.ts';
import { type NetlinkRequest, NLM_F_CREATE, NLM_F_REPLACE } from './header.ts';

const RTM_NEWNEIGH = 28;
const RTM_DELNEIGH = 29;
const RTM_GETNEIGH = 30;

const NDA_DST = 1;
const NDA_LLADDR = 2;
const NDA_IFINDEX = 8;

/** Never probed, never aged. */
export const NUD_PERMANENT = 0x80;
const MESSAGE_LENGTH = 12;

export interface Neighbour {
  readonly ifIndex: number;
  readonly address: IpAddress;
  /** `undefined` while the kernel is still asking for it. */
  readonly mac: MacAddress | undefined;
  readonly state: number;
}

/** `ip neighbour replace ADDRESS lladdr MAC dev INDEX nud permanent` */
export function replaceNeighbour(neighbour: Neighbour): NetlinkRequest {
  const flags = NLM_F_CREATE | NLM_F_REPLACE;
  return { name: 'RTM_NEWNEIGH', type: RTM_NEWNEIGH, flags, payload: encodeNeighbour(neighbour) };
}

/** ENOENT when it is not there. `ip neighbour del ADDRESS dev INDEX` */
export function deleteNeighbour(ifIndex: number, address: IpAddress): NetlinkRequest {
  const payload = encodeNeighbour({ ifIndex, address, mac: undefined, state: 0 });
  return { name: 'RTM_DELNEIGH', type: RTM_DELNEIGH, flags: 0, payload };
}

/** The entries of one interface, both families. `ip neighbour show dev INDEX` */
export function dumpNeighbours(ifIndex: number): NetlinkRequest {
  const payload = Buffer.concat([Buffer.alloc(MESSAGE_LENGTH), attributeU32(NDA_IFINDEX, ifIndex)]);
  return { name: 'RTM_GETNEIGH', type: RTM_GETNEIGH, flags: 0, payload };
}

/** The payload of an RTM_NEWNEIGH message. */
export function encodeNeighbour(neighbour: Neighbour): Buffer {
  const header = Buffer.alloc(MESSAGE_LENGTH);
  header.writeUInt8(addressFamily(neighbour.address.family), 0);
  header.writeInt32LE(neighbour.ifIndex, 4);
  header.writeUInt16LE(neighbour.state, 8);
  const parts = [header, attribute(NDA_DST, ipAddressToBytes(neighbour.address))];
  if (neighbour.mac !== undefined) parts.push(attribute(NDA_LLADDR, macAddressToBytes(neighbour.mac)));
  return Buffer.concat(parts);
}

/** Reads the payload of an RTM_NEWNEIGH message; `undefined` when it has no IP address. */
export function decodeNeighbour(payload: Buffer): Neighbour | undefined {
  const attributes = decodeAttributes(payload.subarray(MESSAGE_LENGTH));
  const address = attributes.get(NDA_DST);
  const mac = attributes.get(NDA_LLADDR);
  if (address?.length !== 4 && address?.length !== 16) return undefined;
  return {
    ifIndex: payload.readInt32LE(4),
    address: ipAddressFromBytes(address),
    mac: mac?.length === 6 ? macAddressFromBytes(mac) : undefined,
    state: payload.readUInt16LE(8),
  };
}
