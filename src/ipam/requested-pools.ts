/** Pools that a configuration names, by name or by CIDR, as CIDRs. Pure. */

import { CalicoError } from '../base/calico-error.ts';
import { type Cidr, tryParseCidr } from '../base/cidr.ts';
import { type IpFamily, tryParseIpAddress } from '../base/ip-address.ts';
import type { IpPool } from './records.ts';

/** Throws `config` for a name no pool has, and for a pool of the other family. */
export function resolvePools(
  names: readonly string[],
  family: IpFamily,
  pools: readonly IpPool[],
): readonly Cidr[] {
  return names.map((name) => resolvePool(name, family, pools));
}

function resolvePool(name: string, family: IpFamily, pools: readonly IpPool[]): Cidr {
  const cidr = tryParseCidr(name) ?? pools.find((pool) => pool.name === name)?.cidr;
  if (cidr === undefined) throw unknownPool(name, pools);
  if (cidr.family === family) return cidr;
  throw new CalicoError(
    'config',
    `error parsing pool ${JSON.stringify(name)}: ${JSON.stringify(name)} isn't a IPv${family} address`,
    {
      details: `list it under ipv${cidr.family}_pools`,
    },
  );
}

function unknownPool(name: string, pools: readonly IpPool[]): CalicoError {
  const why =
    tryParseIpAddress(name) === undefined
      ? 'no IPPool has this name'
      : 'an address needs a prefix length to be a pool';
  const known = pools.map((pool) => pool.name).join(', ') || 'none';
  return new CalicoError('config', `error parsing pool ${JSON.stringify(name)}: ${why}`, {
    details: `existing pools: ${known}`,
  });
}
