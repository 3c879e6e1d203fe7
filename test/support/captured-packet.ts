/** IP packets as they were on a wire, tunnelled ones with what is in them. Pure. */

import { formatIpAddress, ipAddressFromBytes } from '../../src/base/ip-address.ts';

export interface CapturedPacket {
  readonly source: string;
  readonly destination: string;
  /** Of the IP packet, with its header. */
  readonly bytes: number;
  /** What ping sends, rather than what it gets. */
  readonly isEchoRequest: boolean;
  readonly tunnelled: Tunnelled | undefined;
}

export interface Tunnelled {
  /** `VXLAN 4096`, by its network identifier, or `IPIP`. */
  readonly by: string;
  readonly packet: CapturedPacket;
}

const ETHER_HEADER = 14;
const ETHER_TYPES: ReadonlySet<number> = new Set([0x0800, 0x86dd]);
const [ICMP, IPIP, UDP, ICMPV6] = [1, 4, 17, 58];
const VXLAN_PORT = 4789;
const UDP_HEADER = 8;
const VXLAN_HEADER = 8;

/** The IP packet in an Ethernet frame; `undefined` when it holds another protocol, ARP for example. */
export function packetOfFrame(frame: Buffer): CapturedPacket | undefined {
  return ETHER_TYPES.has(frame.readUInt16BE(12)) ? packetOf(frame.subarray(ETHER_HEADER)) : undefined;
}

function packetOf(bytes: Buffer): CapturedPacket {
  const isIpv4 = bytes.readUInt8(0) >> 4 === 4;
  const header = isIpv4 ? (bytes.readUInt8(0) & 15) * 4 : 40;
  const [at, length] = isIpv4 ? [12, 4] : [8, 16];
  const address = (from: number) =>
    formatIpAddress(ipAddressFromBytes([...bytes.subarray(from, from + length)]));
  const protocol = bytes.readUInt8(isIpv4 ? 9 : 6);
  const payload = bytes.subarray(header);
  const isEcho = (icmp: number, type: number) => protocol === icmp && payload.readUInt8(0) === type;
  return {
    source: address(at),
    destination: address(at + length),
    bytes: isIpv4 ? bytes.readUInt16BE(2) : header + bytes.readUInt16BE(4),
    isEchoRequest: isEcho(ICMP, 8) || isEcho(ICMPV6, 128),
    tunnelled: tunnelled(protocol, payload),
  };
}

function tunnelled(protocol: number, payload: Buffer): Tunnelled | undefined {
  if (protocol === IPIP) return { by: 'IPIP', packet: packetOf(payload) };
  if (protocol !== UDP || payload.readUInt16BE(2) !== VXLAN_PORT) return undefined;
  const vni = payload.readUIntBE(UDP_HEADER + 4, 3);
  const packet = packetOfFrame(payload.subarray(UDP_HEADER + VXLAN_HEADER));
  return packet === undefined ? undefined : { by: `VXLAN ${vni}`, packet };
}

/** Addresses alone: `10.50.0.11 → 10.60.0.13 VXLAN 4096 [10.77.0.1 → 10.77.0.65]`. */
export function formatPacket({ source, destination, tunnelled }: CapturedPacket): string {
  const outer = `${source} → ${destination}`;
  return tunnelled === undefined ? outer : `${outer} ${tunnelled.by} [${formatPacket(tunnelled.packet)}]`;
}

/** What ping has sent, as the packet itself or in what it tunnels. */
export function echoRequestIn(packet: CapturedPacket): CapturedPacket | undefined {
  if (packet.isEchoRequest) return packet;
  return packet.tunnelled === undefined ? undefined : echoRequestIn(packet.tunnelled.packet);
}
