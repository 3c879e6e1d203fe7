/** A CIDR as a value: always masked, so equal networks are equal values. Pure. */

import { CalicoError } from './calico-error.ts';
import {
  addressBits,
  formatIpAddress,
  type IpAddress,
  type IpFamily,
  tryParseIpAddress,
} from './ip-address.ts';

export interface Cidr {
  readonly family: IpFamily;
  /** First address; host bits are zero. */
  readonly base: bigint;
  readonly prefixLength: number;
}

/** An address together with the length of its mask, host bits kept: `10.77.0.3/28`. */
export interface IpNetwork {
  readonly address: IpAddress;
  readonly prefixLength: number;
}

/** The network of the given prefix length that holds the address. */
export function cidrOf(address: IpAddress, prefixLength: number): Cidr {
  const hostBits = BigInt(addressBits(address.family) - prefixLength);
  return { family: address.family, base: (address.value >> hostBits) << hostBits, prefixLength };
}

/** The /32 or /128 of one address. */
export function hostCidr(address: IpAddress): Cidr {
  return cidrOf(address, addressBits(address.family));
}

/** The address with the mask of a single host: `10.77.0.3/32`. */
export function hostNetwork(address: IpAddress): IpNetwork {
  return { address, prefixLength: addressBits(address.family) };
}

/** Parses `address/length` and keeps the host bits; `undefined` when it is not one. */
export function tryParseIpNetwork(text: string): IpNetwork | undefined {
  const match = /^([^/]+)\/(0|[1-9]\d{0,2})$/.exec(text);
  if (match?.[1] === undefined || match[2] === undefined) return undefined;
  const address = tryParseIpAddress(match[1]);
  const prefixLength = Number(match[2]);
  if (address === undefined || prefixLength > addressBits(address.family)) return undefined;
  return { address, prefixLength };
}

/** Parses `address/length` and masks it; `undefined` when it is not a CIDR. */
export function tryParseCidr(text: string): Cidr | undefined {
  const network = tryParseIpNetwork(text);
  return network === undefined ? undefined : cidrOf(network.address, network.prefixLength);
}

/** Like {@link tryParseCidr}, but throws a `config` error that quotes the text. */
export function parseCidr(text: string): Cidr {
  const cidr = tryParseCidr(text);
  if (cidr === undefined) throw new CalicoError('config', `invalid CIDR: ${JSON.stringify(text)}`);
  return cidr;
}

/** Canonical text, `192.168.0.0/26`, as Go's net.IPNet prints it. */
export function formatCidr(cidr: Cidr): string {
  return formatIpNetwork({ address: baseAddress(cidr), prefixLength: cidr.prefixLength });
}

export function formatIpNetwork(network: IpNetwork): string {
  return `${formatIpAddress(network.address)}/${network.prefixLength}`;
}

export function baseAddress(cidr: Cidr): IpAddress {
  return { family: cidr.family, value: cidr.base };
}

/** How many addresses the CIDR holds. */
export function addressCount(cidr: Cidr): bigint {
  return 1n << BigInt(addressBits(cidr.family) - cidr.prefixLength);
}

export function containsAddress(cidr: Cidr, address: IpAddress): boolean {
  return (
    cidr.family === address.family &&
    address.value >= cidr.base &&
    address.value < cidr.base + addressCount(cidr)
  );
}

/** Whether every address of `inner` is in `outer`. */
export function containsCidr(outer: Cidr, inner: Cidr): boolean {
  return inner.prefixLength >= outer.prefixLength && containsAddress(outer, baseAddress(inner));
}

export function sameCidr(a: Cidr, b: Cidr): boolean {
  return a.family === b.family && a.base === b.base && a.prefixLength === b.prefixLength;
}
