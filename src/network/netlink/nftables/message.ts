/**
 * The frame of messages to nftables. Their numbers are in network byte order, unlike those of all other netlink. Pure.
 *
 * ```
 * nfgenmsg:  0        1         2             4
 *            | family | version | resource id | attributes …
 * ```
 */

import type { IpFamily } from '../../../base/ip-address.ts';
import { attribute, decodeAttributes } from '../attribute.ts';
import { addressFamily } from '../family.ts';
import type { NetlinkRequest } from '../header.ts';

const NFNL_SUBSYS_NFTABLES = 10;
const NFNL_MSG_BATCH_BEGIN = 0x10;
const NFNL_MSG_BATCH_END = 0x11;
const MESSAGE_LENGTH = 4;

/** What is asked, by the kernel's number. */
export const NFT_MESSAGES = {
  NEWTABLE: 0,
  GETTABLE: 1,
  DELTABLE: 2,
  NEWCHAIN: 3,
  GETCHAIN: 4,
  NEWRULE: 6,
  GETRULE: 7,
  NEWSET: 9,
  GETSET: 10,
  NEWSETELEM: 12,
  GETSETELEM: 13,
} as const;

/** A request about tables of the family. */
export function filterRequest(
  what: keyof typeof NFT_MESSAGES,
  family: IpFamily,
  flags: number,
  attributes: readonly Uint8Array[],
): NetlinkRequest {
  return {
    name: `NFT_MSG_${what}`,
    type: (NFNL_SUBSYS_NFTABLES << 8) | NFT_MESSAGES[what],
    flags,
    payload: Buffer.concat([Buffer.of(addressFamily(family), 0, 0, 0), ...attributes]),
  };
}

/** What a transaction begins and ends with. */
export const TRANSACTION: { readonly begin: NetlinkRequest; readonly end: NetlinkRequest } = {
  begin: mark('NFNL_MSG_BATCH_BEGIN', NFNL_MSG_BATCH_BEGIN),
  end: mark('NFNL_MSG_BATCH_END', NFNL_MSG_BATCH_END),
};

function mark(name: string, type: number): NetlinkRequest {
  return { name, type, flags: 0, payload: Buffer.of(0, 0, 0, NFNL_SUBSYS_NFTABLES) };
}

/** Whether a notice is about nftables at all. */
export function isFilterMessage(type: number): boolean {
  return type >> 8 === NFNL_SUBSYS_NFTABLES;
}

/** The attributes of an answer or a notice, and the number of its family. */
export function decodeFilterMessage(payload: Buffer): {
  readonly addressFamily: number;
  readonly attributes: ReadonlyMap<number, Buffer>;
} {
  return {
    addressFamily: payload[0] ?? 0,
    attributes: decodeAttributes(payload.subarray(MESSAGE_LENGTH)),
  };
}

/** A number in network byte order. */
export function attributeBe32(type: number, value: number): Buffer {
  return attribute(type, be32(value));
}

export function be32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes;
}

/** `undefined` when the attribute is absent or has another size. */
export function readBe32(value: Buffer | undefined): number | undefined {
  return value?.length === 4 ? value.readUInt32BE(0) : undefined;
}
