/** The MAC of a node's VXLAN device, which every other node can work out from its name. Pure. */

import type { IpFamily } from '../base/ip-address.ts';
import { type MacAddress, parseMacAddress } from '../base/mac-address.ts';
import { sha1Hex } from '../base/sha1.ts';

/** Octets of the digest. */
const DIGEST_OCTETS = 5;

/** `66` and five octets of SHA-1 over the name, for IPv6 with `-v6` behind it: Calico's rule, which its peers rely on. */
export function tunnelMac(nodeName: string, family: IpFamily): MacAddress {
  const digest = sha1Hex(family === 4 ? nodeName : `${nodeName}-v6`).slice(0, 2 * DIGEST_OCTETS);
  return parseMacAddress(['66', ...(digest.match(/../g) ?? [])].join(':'));
}
