/**
 * What rules of nftables are made of. An expression loads something into a register, compares a register, or decides.
 * Attributes come in the order in which the kernel gives them back, so that rules can be compared as bytes. Pure.
 */

import { type IpAddress, type IpFamily, ipAddressToBytes } from '../../../base/ip-address.ts';
import { attribute, attributeText, nested } from '../attribute.ts';
import { addressFamily } from '../family.ts';
import { attributeBe32 } from './message.ts';

const NFTA_LIST_ELEM = 1;
const NFTA_EXPR_NAME = 1;
const NFTA_EXPR_DATA = 2;
const NFTA_DATA_VALUE = 1;

const REGISTER_1 = 1;
const REGISTER_2 = 2;

const META_L4PROTO = 16;
const META_OIFNAME = 7;
const CMP_EQUAL = 0;
const CMP_NOT_EQUAL = 1;
const PAYLOAD_NETWORK_HEADER = 1;
const LOOKUP_INVERTED = 1;
const FIB_ADDRESS_TYPE = 3;
const FIB_FLAG_SOURCE = 1;
const FIB_FLAG_OUT_INTERFACE = 16;
const ADDRESS_TYPE_LOCAL = 2;
const NAT_SOURCE = 0;
const NAT_FLAG_ADDRESSES = 1;
const NAT_FLAG_PORTS = 2;
const NAT_FLAG_RANDOM_FULLY = 16;

const INTERFACE_NAME_BYTES = 16;
/** Where addresses are in the header, and how long they are, in bytes. */
const ADDRESSES: Readonly<Record<IpFamily, { source: number; destination: number; length: number }>> = {
  4: { source: 12, destination: 16, length: 4 },
  6: { source: 8, destination: 24, length: 16 },
};
/** As the kernel numbers them in IP headers. */
export const PROTOCOLS = { tcp: 6, udp: 17 } as const;

/** A part of a rule, encoded. */
export type Expressions = readonly Buffer[];

export interface Ports {
  readonly first: number;
  readonly last: number;
}

function expression(name: string, data: readonly Uint8Array[]): Buffer {
  return nested(NFTA_LIST_ELEM, [attributeText(NFTA_EXPR_NAME, name), nested(NFTA_EXPR_DATA, data)]);
}

/** `ip saddr @SET`, or with `is: 'outside'` `ip saddr != @SET`. */
export function addressIn(
  family: IpFamily,
  which: 'source' | 'destination',
  is: 'inside' | 'outside',
  set: string,
): Expressions {
  const { length, [which]: offset } = ADDRESSES[family];
  return [
    expression('payload', [
      attributeBe32(1, REGISTER_1),
      attributeBe32(2, PAYLOAD_NETWORK_HEADER),
      attributeBe32(3, offset),
      attributeBe32(4, length),
    ]),
    expression('lookup', [
      attributeText(1, set),
      attributeBe32(2, REGISTER_1),
      attributeBe32(5, is === 'outside' ? LOOKUP_INVERTED : 0),
    ]),
  ];
}

/** `oifname NAME`; a `*` at its end stands for any rest. */
export function outInterface(name: string): Expressions {
  if (name === '*') return [];
  const bytes = Buffer.from(name.endsWith('*') ? name.slice(0, -1) : name);
  const compared = name.endsWith('*') ? bytes : Buffer.concat([bytes], INTERFACE_NAME_BYTES);
  return [loadMeta(META_OIFNAME), compare(CMP_EQUAL, compared)];
}

/** `meta l4proto PROTOCOL` */
export function transport(protocol: keyof typeof PROTOCOLS): Expressions {
  return [loadMeta(META_L4PROTO), compare(CMP_EQUAL, Uint8Array.of(PROTOCOLS[protocol]))];
}

/** Of the host, but of another interface than the packet leaves through: `fib saddr . oif type != local fib saddr type local` */
export function sourceOfOtherInterface(): Expressions {
  return [
    loadSourceType(FIB_FLAG_SOURCE | FIB_FLAG_OUT_INTERFACE),
    compare(CMP_NOT_EQUAL, localType()),
    loadSourceType(FIB_FLAG_SOURCE),
    compare(CMP_EQUAL, localType()),
  ];
}

/** `masquerade to :FIRST-LAST fully-random` */
export function masquerade(ports: Ports | undefined): Expressions {
  if (ports === undefined) return [expression('masq', [attributeBe32(1, NAT_FLAG_RANDOM_FULLY)])];
  return [
    ...loadPorts(ports, REGISTER_1, REGISTER_2),
    expression('masq', [
      attributeBe32(1, NAT_FLAG_RANDOM_FULLY | NAT_FLAG_PORTS),
      attributeBe32(2, REGISTER_1),
      attributeBe32(3, REGISTER_2),
    ]),
  ];
}

/** `snat to ADDRESS:FIRST-LAST fully-random` */
export function sourceNat(address: IpAddress, ports: Ports | undefined): Expressions {
  const [first, last] = [REGISTER_2, REGISTER_2 + 1];
  const flags = NAT_FLAG_ADDRESSES | NAT_FLAG_RANDOM_FULLY | (ports === undefined ? 0 : NAT_FLAG_PORTS);
  return [
    immediate(REGISTER_1, ipAddressToBytes(address)),
    ...(ports === undefined ? [] : loadPorts(ports, first, last)),
    expression('nat', [
      attributeBe32(1, NAT_SOURCE),
      attributeBe32(2, addressFamily(address.family)),
      attributeBe32(3, REGISTER_1),
      attributeBe32(4, REGISTER_1),
      ...(ports === undefined ? [] : [attributeBe32(5, first), attributeBe32(6, last)]),
      attributeBe32(7, flags),
    ]),
  ];
}

function loadMeta(key: number): Buffer {
  return expression('meta', [attributeBe32(2, key), attributeBe32(1, REGISTER_1)]);
}

function loadSourceType(flags: number): Buffer {
  return expression('fib', [
    attributeBe32(1, REGISTER_1),
    attributeBe32(2, FIB_ADDRESS_TYPE),
    attributeBe32(3, flags),
  ]);
}

function compare(operator: number, value: Uint8Array): Buffer {
  return expression('cmp', [attributeBe32(1, REGISTER_1), attributeBe32(2, operator), data(3, value)]);
}

function loadPorts({ first, last }: Ports, firstRegister: number, lastRegister: number): Expressions {
  return [immediate(firstRegister, be16(first)), immediate(lastRegister, be16(last))];
}

function immediate(register: number, value: Uint8Array): Buffer {
  return expression('immediate', [attributeBe32(1, register), data(2, value)]);
}

function data(type: number, value: Uint8Array): Buffer {
  return nested(type, [attribute(NFTA_DATA_VALUE, value)]);
}

/** Types of addresses are in host byte order, as the routing table has them. */
function localType(): Uint8Array {
  return Uint8Array.of(ADDRESS_TYPE_LOCAL, 0, 0, 0);
}

function be16(value: number): Uint8Array {
  return Uint8Array.of(value >> 8, value & 0xff);
}
