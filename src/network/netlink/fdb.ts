/**
 * Forwarding entries of VXLAN devices, MAC → host, as netlink messages. They have the frame of neighbours:
 *
 * ```
 * ndmsg:  0           1    2     4         8       10      11     12
 *         | AF_BRIDGE | pad| pad | ifindex | state | flags | type | attributes …
 * ```
 *
 * Pure.
 */

import { type IpAddress, ipAddressFromBytes, ipAddressToBytes } from '../../base/ip-address.ts';
import { type MacAddress, macAddressFromBytes, macAddressToBytes } from '../../base/mac-address.ts';
import { attribute, decodeAttributes } from './attribute.ts';
import { type NetlinkRequest, NLM_F_CREATE, NLM_F_REPLACE } from './header.ts';
import { NUD_PERMANENT } from './neighbour.ts';

const RTM_NEWNEIGH = 28;
const RTM_DELNEIGH = 29;
const RTM_GETNEIGH = 30;

const NDA_DST = 1;
const NDA_LLADDR = 2;

export const AF_BRIDGE = 7;
/** The entry is of the device itself, not of a bridge that it belongs to. */
const NTF_SELF = 0x02;
const MESSAGE_LENGTH = 12;

export interface ForwardingEntry {
  readonly ifIndex: number;
  readonly mac: MacAddress;
  /** Outer destination. */
  readonly remote: IpAddress;
  /** See {@link NUD_PERMANENT}. */
  readonly state: number;
}

/** Puts it in the place of the one with the same MAC, or adds it. `bridge fdb replace MAC dev INDEX dst REMOTE self permanent` */
export function replaceForwarding(entry: Omit<ForwardingEntry, 'state'>): NetlinkRequest {
  const payload = encodeForwarding({ ...entry, state: NUD_PERMANENT });
  return { name: 'RTM_NEWNEIGH', type: RTM_NEWNEIGH, flags: NLM_F_CREATE | NLM_F_REPLACE, payload };
}

/** ENOENT when it is not there. `bridge fdb del MAC dev INDEX dst REMOTE self` */
export function deleteForwarding(entry: Omit<ForwardingEntry, 'state'>): NetlinkRequest {
  const payload = encodeForwarding({ ...entry, state: 0 });
  return { name: 'RTM_DELNEIGH', type: RTM_DELNEIGH, flags: 0, payload };
}

/** The entries of one device. `bridge fdb show dev INDEX` */
export function dumpForwarding(ifIndex: number): NetlinkRequest {
  return { name: 'RTM_GETNEIGH', type: RTM_GETNEIGH, flags: 0, payload: header(ifIndex, 0, 0) };
}

/** The payload of an RTM_NEWNEIGH message. */
export function encodeForwarding(entry: ForwardingEntry): Buffer {
  return Buffer.concat([
    header(entry.ifIndex, entry.state, NTF_SELF),
    attribute(NDA_LLADDR, macAddressToBytes(entry.mac)),
    attribute(NDA_DST, ipAddressToBytes(entry.remote)),
  ]);
}

/** Reads the payload of an RTM_NEWNEIGH message; `undefined` when it is no entry of a device itself to a host. */
export function decodeForwarding(payload: Buffer): ForwardingEntry | undefined {
  if (payload.length < MESSAGE_LENGTH || payload.readUInt8(0) !== AF_BRIDGE) return undefined;
  const attributes = decodeAttributes(payload.subarray(MESSAGE_LENGTH));
  const mac = attributes.get(NDA_LLADDR);
  const remote = attributes.get(NDA_DST);
  const isOfDevice = (payload.readUInt8(10) & NTF_SELF) !== 0;
  if (!isOfDevice || mac?.length !== 6 || (remote?.length !== 4 && remote?.length !== 16)) return undefined;
  return {
    ifIndex: payload.readInt32LE(4),
    mac: macAddressFromBytes(mac),
    remote: ipAddressFromBytes(remote),
    state: payload.readUInt16LE(8),
  };
}

function header(ifIndex: number, state: number, flags: number): Buffer {
  const bytes = Buffer.alloc(MESSAGE_LENGTH);
  bytes.writeUInt8(AF_BRIDGE, 0);
  bytes.writeInt32LE(ifIndex, 4);
  bytes.writeUInt16LE(state, 8);
  bytes.writeUInt8(flags, 10);
  return bytes;
}
