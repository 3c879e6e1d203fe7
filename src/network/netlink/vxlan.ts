/** VXLAN devices as netlink messages: what an RTM_NEWLINK message says of this kind alone. Pure. */

import { type IpAddress, ipAddressFromBytes, ipAddressToBytes } from '../../base/ip-address.ts';
import type { MacAddress } from '../../base/mac-address.ts';
import { attribute, attributeU32, readU32 } from './attribute.ts';
import type { NetlinkRequest } from './header.ts';
import { addLink, decodeLink, linkAttributes, linkData } from './link.ts';

const IFLA_VXLAN_ID = 1;
const IFLA_VXLAN_GROUP = 2;
const IFLA_VXLAN_LINK = 3;
const IFLA_VXLAN_LOCAL = 4;
const IFLA_VXLAN_LEARNING = 7;
const IFLA_VXLAN_PROXY = 11;
const IFLA_VXLAN_RSC = 12;
const IFLA_VXLAN_L2MISS = 13;
const IFLA_VXLAN_L3MISS = 14;
const IFLA_VXLAN_PORT = 15;
const IFLA_VXLAN_GROUP6 = 16;
const IFLA_VXLAN_LOCAL6 = 17;
const IFLA_VXLAN_GBP = 23;
const IFLA_VXLAN_COLLECT_METADATA = 25;
const IFLA_VXLAN_GPE = 27;
const IFLA_VXLAN_VNIFILTER = 30;

/** Attributes that are only there when the device has what they stand for. */
const FLAGS = [IFLA_VXLAN_GROUP, IFLA_VXLAN_GROUP6, IFLA_VXLAN_GBP, IFLA_VXLAN_GPE];
/** Attributes that are always there, and 0 when the device has it not. */
const SWITCHES = [
  ...[IFLA_VXLAN_PROXY, IFLA_VXLAN_RSC, IFLA_VXLAN_L2MISS, IFLA_VXLAN_L3MISS],
  ...[IFLA_VXLAN_COLLECT_METADATA, IFLA_VXLAN_VNIFILTER],
];

/** A device that shall be made; it learns nothing and sends to nobody that it was not told of. */
export interface VxlanLink {
  readonly name: string;
  readonly mac: MacAddress;
  readonly mtu: number;
  readonly vni: number;
  /** UDP, of the receiver. */
  readonly port: number;
  /** Source of the outer packets. Its family is that of the tunnel. */
  readonly local: IpAddress;
  readonly parentIfIndex: number;
}

/** What the kernel says of a device of this kind, beside what every link has. */
export interface VxlanDetails {
  readonly vni: number;
  readonly port: number;
  readonly local: IpAddress | undefined;
  readonly parentIfIndex: number | undefined;
  readonly isLearning: boolean;
  /** A group to send to, or a mode in which it does not go by its own entries alone. */
  readonly hasForeignFlags: boolean;
}

/**
 * EEXIST when there is a link of the name, or a device with the same VNI and port.
 * `ip link add NAME address MAC mtu MTU type vxlan id VNI local LOCAL dev PARENT dstport PORT nolearning`
 */
export function addVxlan(link: VxlanLink): NetlinkRequest {
  const localType = link.local.family === 4 ? IFLA_VXLAN_LOCAL : IFLA_VXLAN_LOCAL6;
  return addLink('vxlan', linkAttributes(link), [
    attributeU32(IFLA_VXLAN_ID, link.vni),
    attribute(localType, ipAddressToBytes(link.local)),
    attributeU32(IFLA_VXLAN_LINK, link.parentIfIndex),
    attribute(IFLA_VXLAN_LEARNING, Uint8Array.of(0)),
    attribute(IFLA_VXLAN_PORT, Uint8Array.of(link.port >> 8, link.port & 0xff)),
  ]);
}

/** Reads the payload of an RTM_NEWLINK message; `undefined` when it is of another kind. */
export function decodeVxlan(payload: Buffer): VxlanDetails | undefined {
  const data = decodeLink(payload).kind === 'vxlan' ? linkData(payload) : undefined;
  if (data === undefined) return undefined;
  const port = data.get(IFLA_VXLAN_PORT);
  const local = data.get(IFLA_VXLAN_LOCAL) ?? data.get(IFLA_VXLAN_LOCAL6);
  return {
    vni: readU32(data.get(IFLA_VXLAN_ID)) ?? 0,
    port: port?.length === 2 ? port.readUInt16BE(0) : 0,
    local: local?.length === 4 || local?.length === 16 ? ipAddressFromBytes(local) : undefined,
    parentIfIndex: readU32(data.get(IFLA_VXLAN_LINK)),
    isLearning: isOn(data, IFLA_VXLAN_LEARNING),
    hasForeignFlags: FLAGS.some((type) => data.has(type)) || SWITCHES.some((type) => isOn(data, type)),
  };
}

function isOn(data: ReadonlyMap<number, Buffer>, type: number): boolean {
  return (data.get(type)?.[0] ?? 0) !== 0;
}
