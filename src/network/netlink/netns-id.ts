/** The numbers by which one namespace knows its neighbours, as netlink messages. Pure. */

import { attributeU32, decodeAttributes, readS32 } from './attribute.ts';
import type { NetlinkRequest } from './header.ts';

const RTM_GETNSID = 90;
const NETNSA_NSID = 1;
const NETNSA_FD = 3;
const MESSAGE_LENGTH = 4;

/** `ip netns list-id` for the namespace of an open descriptor. */
export function getNetnsId(netnsFd: number): NetlinkRequest {
  const payload = Buffer.concat([Buffer.alloc(MESSAGE_LENGTH), attributeU32(NETNSA_FD, netnsFd)]);
  return { name: 'RTM_GETNSID', type: RTM_GETNSID, flags: 0, payload };
}

/** `undefined` when the namespace has no number here, thus no interface with its other end there. */
export function decodeNetnsId(payload: Buffer): number | undefined {
  const id = readS32(decodeAttributes(payload.subarray(MESSAGE_LENGTH)).get(NETNSA_NSID));
  return id === undefined || id < 0 ? undefined : id;
}
