/** The words with which an automatic address is refused. Pure. */

import { CalicoError } from '../../base/calico-error.ts';
import { formatCidr } from '../../base/cidr.ts';
import type { IpPool } from '../records.ts';
import type { AddressSearch } from './address-search.ts';

/** `[10.98.0.0/29 10.99.0.0/16]`, as Go prints a list. */
export function describePools(pools: readonly IpPool[]): string {
  return `[${pools.map((pool) => formatCidr(pool.cidr)).join(' ')}]`;
}

/** Every step of the search came back empty. The message is the one Calico's users know. */
export function noAddressLeft({ family, facts, pools, request }: AddressSearch): CalicoError {
  const { strictAffinity } = facts.config;
  const reason = strictAffinity
    ? 'No more free affine blocks and strict affinity enabled'
    : `No IPs available in pools: ${describePools(pools)}`;
  const advice = strictAffinity
    ? `node ${request.nodeName} cannot claim another block in pools ${describePools(pools)}, and strictAffinity forbids to borrow: add a pool, free addresses on this node, or turn strictAffinity off`
    : 'every address is assigned, reserved or in cooldown: add a pool, delete pods, or look for leaks with calicoctl ipam check';
  return new CalicoError(
    'no-address',
    `failed to request IPv${family} addresses: Assigned 0 out of 1 requested IPv${family} addresses; ${reason}`,
    { details: advice },
  );
}
