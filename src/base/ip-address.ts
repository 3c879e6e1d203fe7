/**
 * One IP address as a value: a family and a number, so that ordinals and ranges are plain arithmetic.
 * Text goes through ipaddr.js; this module is pure.
 */

import ipaddr from 'ipaddr.js';
import { CalicoError } from './calico-error.ts';

export type IpFamily = 4 | 6;

export interface IpAddress {
  readonly family: IpFamily;
  /** The address as an unsigned integer: below 2^32 for family 4, below 2^128 for family 6. */
  readonly value: bigint;
}

/** Number of bits in an address of the family: 32 or 128. */
export function addressBits(family: IpFamily): 32 | 128 {
  return family === 4 ? 32 : 128;
}

/** Parses an IPv4 or IPv6 address; an IPv4-mapped IPv6 address becomes IPv4, as in Go. No zone, no octal. */
export function tryParseIpAddress(text: string): IpAddress | undefined {
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) {
    return ipAddressFromBytes(ipaddr.IPv4.parse(text).toByteArray());
  }
  const hexadecimal = text.includes('%') ? undefined : withoutDots(text);
  if (hexadecimal === undefined || !ipaddr.IPv6.isValid(hexadecimal)) return undefined;
  return ipAddressFromBytes(ipaddr.process(hexadecimal).toByteArray());
}

/**
 * IPv6 text whose end was written like IPv4, `::ffff:10.0.0.1`, with hexadecimal digits; `undefined` when that end is no
 * IPv4 address. The library takes `::10.0.0.1` for IPv4, and `::ffff:010.0.0.1` for octal.
 */
function withoutDots(text: string): string | undefined {
  const start = text.lastIndexOf(':') + 1;
  const tail = text.slice(start);
  if (!tail.includes('.')) return text;
  if (!ipaddr.IPv4.isValidFourPartDecimal(tail)) return undefined;
  const [a = 0, b = 0, c = 0, d = 0] = ipaddr.IPv4.parse(tail).toByteArray();
  return `${text.slice(0, start)}${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
}

/** Like {@link tryParseIpAddress}, but throws a `config` error that quotes the text. */
export function parseIpAddress(text: string): IpAddress {
  const address = tryParseIpAddress(text);
  if (address === undefined) {
    throw new CalicoError('config', `invalid IP address: ${JSON.stringify(text)}`);
  }
  return address;
}

/** Canonical text: dotted quad or RFC 5952, as Go prints it. */
export function formatIpAddress(address: IpAddress): string {
  const parsed = ipaddr.fromByteArray([...ipAddressToBytes(address)]);
  return parsed.kind() === 'ipv4' ? parsed.toString() : (parsed as ipaddr.IPv6).toRFC5952String();
}

/** Network byte order, 4 or 16 bytes. */
export function ipAddressToBytes(address: IpAddress): Uint8Array {
  const bytes = new Uint8Array(addressBits(address.family) / 8);
  let rest = address.value;
  for (let i = bytes.length - 1; i >= 0; i--) {
    bytes[i] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  return bytes;
}

/** From 4 or 16 bytes in network byte order. */
export function ipAddressFromBytes(bytes: ArrayLike<number>): IpAddress {
  if (bytes.length !== 4 && bytes.length !== 16) {
    throw new CalicoError('internal', `an IP address has 4 or 16 bytes, not ${bytes.length}`);
  }
  let value = 0n;
  for (let i = 0; i < bytes.length; i++) value = (value << 8n) | BigInt(bytes[i] ?? 0);
  return { family: bytes.length === 4 ? 4 : 6, value };
}

export function sameAddress(a: IpAddress, b: IpAddress): boolean {
  return a.family === b.family && a.value === b.value;
}

const LINK_LOCAL_SHIFT = 118n;
const LINK_LOCAL = 0xfe80n >> 6n;

/** Whether it is in fe80::/10, which each interface has for itself. */
export function isLinkLocal({ family, value }: IpAddress): boolean {
  return family === 6 && value >> LINK_LOCAL_SHIFT === LINK_LOCAL;
}
