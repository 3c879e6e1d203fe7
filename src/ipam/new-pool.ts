/** A pool that somebody wants to create, checked by Calico's rules. Pure. */

import { CalicoError } from '../base/calico-error.ts';
import { type Cidr, cidrOf, containsCidr, formatCidr, tryParseIpNetwork } from '../base/cidr.ts';
import { formatIpAddress, type IpFamily } from '../base/ip-address.ts';

export interface NewPool {
  readonly cidr: Cidr;
  /** Prefix length of its blocks. */
  readonly blockSize: number;
  readonly natOutgoing: boolean;
}

export interface NamedPool {
  readonly name: string;
  readonly cidr: Cidr;
}

/** Prefix lengths Calico accepts for blocks, and what it takes when none is given. */
const BLOCK_SIZES: Readonly<
  Record<IpFamily, { readonly min: number; readonly max: number; readonly usual: number }>
> = {
  4: { min: 20, max: 32, usual: 26 },
  6: { min: 116, max: 128, usual: 122 },
};

/** Throws `config`, with the text and the rule it breaks. */
export function parseNewPool(text: string, blockSize: number | undefined, natOutgoing: boolean): NewPool {
  const network = tryParseIpNetwork(text);
  if (network === undefined) throw refuse(text, 'it must be a CIDR, such as 192.168.0.0/16');
  const cidr = cidrOf(network.address, network.prefixLength);
  if (cidr.base !== network.address.value) {
    throw refuse(
      text,
      `${formatIpAddress(network.address)} is not the first address of a /${cidr.prefixLength}; did you mean ${formatCidr(cidr)}?`,
    );
  }
  const { min, max, usual } = BLOCK_SIZES[cidr.family];
  const size = blockSize ?? Math.max(usual, cidr.prefixLength);
  if (size < min || size > max) throw refuse(text, `its block size must be ${min} to ${max}, not ${size}`);
  if (size < cidr.prefixLength) throw refuse(text, `a block of /${size} does not fit into it`);
  return { cidr, blockSize: size, natOutgoing };
}

/** The pool that has an address in common with the CIDR, if any: two pools must not. */
export function overlappingPool(cidr: Cidr, pools: readonly NamedPool[]): NamedPool | undefined {
  return pools.find((pool) => containsCidr(pool.cidr, cidr) || containsCidr(cidr, pool.cidr));
}

function refuse(text: string, why: string): CalicoError {
  return new CalicoError('config', `invalid pool ${JSON.stringify(text)}: ${why}`);
}
