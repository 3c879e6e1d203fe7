/**
 * Addresses of interfaces as netlink messages. Pure.
 *
 * ```
 * ifaddrmsg:  0        1               2       3       4         8
 *             | family | prefix length | flags | scope | ifindex | attributes …
 * ```
 */

import type { IpNetwork } from '../../base/cidr.ts';
import { ipAddressFromBytes, ipAddressToBytes } from '../../base/ip-address.ts';
import { attribute, attributeU32, decodeAttributes, readU32 } from './attribute.ts';
import { addressFamily } from './family.ts';
import { type NetlinkRequest, NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE } from './header.ts';

const RTM_NEWADDR = 20;
const RTM_DELADDR = 21;
const RTM_GETADDR = 22;

const IFA_ADDRESS = 1;
const IFA_LOCAL = 2;
const IFA_FLAGS = 8;

/** IPv6: usable at once, without duplicate address detection. */
export const IFA_F_NODAD = 0x02;
/** IPv6: another node answered for this address. */
export const IFA_F_DADFAILED = 0x08;
/** IPv6: not usable yet, detection is running. */
export const IFA_F_TENTATIVE = 0x40;

const MESSAGE_LENGTH = 8;

export interface InterfaceAddress {
  readonly ifIndex: number;
  readonly network: IpNetwork;
  /** 0 global, 253 link, 254 host: see `routeScope`. */
  readonly scope: number;
  readonly flags: number;
}

/** `ip address add ADDRESS dev INDEX scope SCOPE` */
export function addAddress(address: InterfaceAddress): NetlinkRequest {
  return newAddress(address, NLM_F_CREATE | NLM_F_EXCL);
}

/** Adds the address or, if the kernel has made it by itself, adopts it. `ip address replace …` */
export function replaceAddress(address: InterfaceAddress): NetlinkRequest {
  return newAddress(address, NLM_F_CREATE | NLM_F_REPLACE);
}

/** EADDRNOTAVAIL when it is not there. `ip address del ADDRESS dev INDEX` */
export function deleteAddress(address: InterfaceAddress): NetlinkRequest {
  return { name: 'RTM_DELADDR', type: RTM_DELADDR, flags: 0, payload: encodeAddress(address) };
}

/** All addresses of one interface, 0 being every interface; kernels without strict checking answer with those of every interface. `ip address show dev INDEX` */
export function dumpAddresses(ifIndex: number): NetlinkRequest {
  return { name: 'RTM_GETADDR', type: RTM_GETADDR, flags: 0, payload: ifAddr(0, 0, 0, 0, ifIndex) };
}

/** The payload of an RTM_NEWADDR message. */
export function encodeAddress(address: InterfaceAddress): Buffer {
  const { network, scope, ifIndex, flags } = address;
  const bytes = ipAddressToBytes(network.address);
  return Buffer.concat([
    ifAddr(addressFamily(network.address.family), network.prefixLength, flags & 0xff, scope, ifIndex),
    attribute(IFA_LOCAL, bytes),
    attribute(IFA_ADDRESS, bytes),
    attributeU32(IFA_FLAGS, flags),
  ]);
}

/** Reads the payload of an RTM_NEWADDR message; `undefined` when it is neither IPv4 nor IPv6. */
export function decodeAddress(payload: Buffer): InterfaceAddress | undefined {
  const attributes = decodeAttributes(payload.subarray(MESSAGE_LENGTH));
  const bytes = attributes.get(IFA_LOCAL) ?? attributes.get(IFA_ADDRESS);
  if (bytes?.length !== 4 && bytes?.length !== 16) return undefined;
  return {
    ifIndex: payload.readUInt32LE(4),
    network: { address: ipAddressFromBytes(bytes), prefixLength: payload.readUInt8(1) },
    scope: payload.readUInt8(3),
    flags: readU32(attributes.get(IFA_FLAGS)) ?? payload.readUInt8(2),
  };
}

function newAddress(address: InterfaceAddress, flags: number): NetlinkRequest {
  return { name: 'RTM_NEWADDR', type: RTM_NEWADDR, flags, payload: encodeAddress(address) };
}

function ifAddr(family: number, prefixLength: number, flags: number, scope: number, ifIndex: number): Buffer {
  const bytes = Buffer.from([family, prefixLength, flags, scope, 0, 0, 0, 0]);
  bytes.writeUInt32LE(ifIndex, 4);
  return bytes;
}
