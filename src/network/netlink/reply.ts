/**
 * What the kernel answers: an acknowledgement, an error with an explanation, or data. Pure.
 *
 * ```
 * error payload:  0       4
 *                 | errno | header (and, unless capped, payload) of the request | attributes
 * ```
 */

import { KernelError } from '../kernel-error.ts';
import { decodeAttributes, readText, readU32 } from './attribute.ts';
import {
  aligned,
  HEADER_LENGTH,
  type NetlinkMessage,
  NLM_F_ACK_TLVS,
  NLM_F_CAPPED,
  NLMSG_DONE,
  NLMSG_ERROR,
} from './header.ts';

const NLMSGERR_ATTR_MSG = 1;

/** The error an NLMSG_ERROR or NLMSG_DONE message carries; `undefined` for success and for data. */
export function replyError(message: NetlinkMessage, requestName: string): KernelError | undefined {
  if (message.type !== NLMSG_ERROR && message.type !== NLMSG_DONE) return undefined;
  if (message.payload.length < 4) return undefined;
  const errno = -message.payload.readInt32LE(0);
  return errno > 0 ? new KernelError(requestName, errno, explanation(message)) : undefined;
}

/** Whether the message ends an exchange: an acknowledgement, an error, or the end of a dump. */
export function isFinal(message: NetlinkMessage): boolean {
  return message.type === NLMSG_ERROR || message.type === NLMSG_DONE;
}

function explanation(message: NetlinkMessage): string | undefined {
  if ((message.flags & NLM_F_ACK_TLVS) === 0) return undefined;
  const attributes = decodeAttributes(message.payload.subarray(attributesOffset(message)));
  return readText(attributes.get(NLMSGERR_ATTR_MSG));
}

function attributesOffset(message: NetlinkMessage): number {
  if (message.type === NLMSG_DONE) return 4;
  const isCapped = (message.flags & NLM_F_CAPPED) !== 0;
  return 4 + (isCapped ? HEADER_LENGTH : aligned(readU32(message.payload.subarray(4, 8)) ?? 0));
}
