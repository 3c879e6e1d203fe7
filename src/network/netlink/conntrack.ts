/**
 * Connections that the kernel tracks (ctnetlink), as netlink messages. A connection has two tuples: its own packets', and
 * that of the replies, which has other addresses where the connection is translated. Pure.
 *
 * ```
 * nfgenmsg:  0        1         2             4
 *            | family | version | resource id | attributes …
 * ```
 */

import { type IpAddress, ipAddressFromBytes, ipAddressToBytes } from '../../base/ip-address.ts';
import { attribute, attributeU32, decodeAttributes, nested } from './attribute.ts';
import { addressFamily } from './family.ts';
import type { NetlinkRequest } from './header.ts';

const NFNL_SUBSYS_CTNETLINK = 1;
const IPCTNL_MSG_CT_GET = 1;
const IPCTNL_MSG_CT_DELETE = 2;
const MESSAGE_LENGTH = 4;

const CTA_TUPLE = { original: 1, reply: 2 } as const;
const CTA_ID = 12;
const CTA_ZONE = 18;
const CTA_FILTER = 25;
const CTA_FILTER_FLAGS = { original: 1, reply: 2 } as const;
const FILTER_SOURCE = 1;
const CTA_TUPLE_IP = 1;
const CTA_IP_SOURCE = { 4: 1, 6: 3 } as const;
/** The kernel wants to be told of some lists that they are lists. */
const NLA_F_NESTED = 0x80_00;

export type Direction = keyof typeof CTA_TUPLE;

export interface Connection {
  /** Number of the address family. */
  readonly family: number;
  /** Where packets of each direction come from. */
  readonly source: Readonly<Record<Direction, IpAddress | undefined>>;
  /** What identifies it, as the kernel wrote it. */
  readonly identity: readonly Buffer[];
}

/**
 * Those whose packets of the direction come from the address, and maybe others: kernels before 5.8 answer with all, and
 * so does every one about IPv6, which is not asked for less since the kernel's filter (as of 6.18) then gives exactly
 * those of other addresses. `conntrack -L --orig-src ADDRESS`
 */
export function dumpConnections(source: IpAddress, direction: Direction): NetlinkRequest {
  const attributes = source.family === 6 ? [] : sourceFilter(source, direction);
  return request('GET', IPCTNL_MSG_CT_GET, addressFamily(source.family), attributes);
}

function sourceFilter(source: IpAddress, direction: Direction): readonly Buffer[] {
  const ip = nested(CTA_TUPLE_IP, [attribute(CTA_IP_SOURCE[source.family], ipAddressToBytes(source))]);
  return [
    nested(CTA_TUPLE[direction] | NLA_F_NESTED, [ip]),
    nested(CTA_FILTER | NLA_F_NESTED, [attributeU32(CTA_FILTER_FLAGS[direction], FILTER_SOURCE)]),
  ];
}

/** ENOENT when it has ended. */
export function deleteConnection({ family, identity }: Connection): NetlinkRequest {
  return request('DELETE', IPCTNL_MSG_CT_DELETE, family, identity);
}

/** `undefined` when it lacks what identifies it: without that, a request would delete all there are. */
export function decodeConnection(payload: Buffer): Connection | undefined {
  const attributes = decodeAttributes(payload.subarray(MESSAGE_LENGTH));
  const [original, reply, id] = [
    attributes.get(CTA_TUPLE.original),
    attributes.get(CTA_TUPLE.reply),
    attributes.get(CTA_ID),
  ];
  if (original === undefined || original.length === 0 || id === undefined) return undefined;
  const zone = attributes.get(CTA_ZONE);
  return {
    family: payload.readUInt8(0),
    source: { original: sourceOf(original), reply: reply && sourceOf(reply) },
    identity: [
      attribute(CTA_TUPLE.original | NLA_F_NESTED, original),
      attribute(CTA_ID, id),
      ...(zone === undefined ? [] : [attribute(CTA_ZONE, zone)]),
    ],
  };
}

function sourceOf(tuple: Buffer): IpAddress | undefined {
  const ip = decodeAttributes(decodeAttributes(tuple).get(CTA_TUPLE_IP) ?? Buffer.alloc(0));
  const bytes = ip.get(CTA_IP_SOURCE[4]) ?? ip.get(CTA_IP_SOURCE[6]);
  return bytes?.length === 4 || bytes?.length === 16 ? ipAddressFromBytes(bytes) : undefined;
}

function request(
  what: string,
  message: number,
  family: number,
  attributes: readonly Uint8Array[],
): NetlinkRequest {
  return {
    name: `IPCTNL_MSG_CT_${what}`,
    type: (NFNL_SUBSYS_CTNETLINK << 8) | message,
    flags: 0,
    payload: Buffer.concat([Buffer.of(family, 0, 0, 0), ...attributes]),
  };
}
