/** Hardware addresses as lower-case colon text, the form both the kernel tools and Calico store. Pure. */

import { CalicoError } from './calico-error.ts';

/** Six octets, lower case, colons: `ee:ee:ee:ee:ee:ee`. */
export type MacAddress = string & { readonly __brand: 'MacAddress' };

/** The host end of every pod's pair carries this address, so that a permanent neighbour entry can name it. */
export const HOST_SIDE_MAC = 'ee:ee:ee:ee:ee:ee' as MacAddress;

/** Parses `aa:bb:cc:dd:ee:ff` or `aa-bb-…` or `aabb.ccdd.eeff`, any case. */
export function parseMacAddress(text: string): MacAddress {
  const digits =
    /^(?:[0-9a-f]{2}([:-])[0-9a-f]{2}(?:\1[0-9a-f]{2}){4}|[0-9a-f]{4}\.[0-9a-f]{4}\.[0-9a-f]{4})$/i.test(text)
      ? text.replace(/[:.-]/g, '').toLowerCase()
      : undefined;
  if (digits === undefined) throw new CalicoError('config', `invalid MAC address: ${JSON.stringify(text)}`);
  return (digits.match(/../g) ?? []).join(':') as MacAddress;
}

export function macAddressToBytes(mac: MacAddress): Uint8Array {
  return Uint8Array.from(mac.split(':'), (octet) => Number.parseInt(octet, 16));
}

export function macAddressFromBytes(bytes: Uint8Array): MacAddress {
  return Array.from(bytes, (octet) => octet.toString(16).padStart(2, '0')).join(':') as MacAddress;
}

/** A unicast, locally administered address from six random octets (the kernel's own choice for a new veth). */
export function randomMacAddress(random: Uint8Array): MacAddress {
  const bytes = Uint8Array.from(random.subarray(0, 6));
  bytes[0] = ((bytes[0] ?? 0) & 0xfe) | 0x02;
  return macAddressFromBytes(bytes);
}

/** The EUI-64 link-local IPv6 address of a MAC, as an integer (RFC 4291 appendix A). */
export function linkLocalOf(mac: MacAddress): bigint {
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = macAddressToBytes(mac);
  const interfaceId = [a ^ 0x02, b, c, 0xff, 0xfe, d, e, f];
  return interfaceId.reduce((value, octet) => (value << 8n) | BigInt(octet), 0xfe80n << 48n);
}
