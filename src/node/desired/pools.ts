/** Pools as routes see them: which of them an address belongs to, and how its traffic is carried. Pure. */

import { baseAddress, type Cidr, cidrOf, containsCidr, formatCidr } from '../../base/cidr.ts';
import type { IpFamily } from '../../base/ip-address.ts';
import type { ClusterPool, EncapsulationMode } from '../cluster.ts';
import type { Finding } from '../finding.ts';

export interface PoolMode {
  readonly encapsulation: 'vxlan' | 'ipip' | 'none';
  /** Nodes of our subnet are reached without encapsulation. */
  readonly isCrossSubnet: boolean;
}

/** VXLAN goes before IPIP, which IPv6 does not have. `undefined`: no node holds addresses of the pool. */
export function modeOf(pool: ClusterPool): PoolMode | undefined {
  if (isForLoadBalancersOnly(pool)) return undefined;
  if (pool.vxlanMode !== 'Never') return encapsulated('vxlan', pool.vxlanMode);
  if (pool.ipipMode !== 'Never' && pool.cidr.family === 4) return encapsulated('ipip', pool.ipipMode);
  return { encapsulation: 'none', isCrossSubnet: false };
}

function encapsulated(encapsulation: 'vxlan' | 'ipip', mode: EncapsulationMode): PoolMode {
  return { encapsulation, isCrossSubnet: mode === 'CrossSubnet' };
}

function isForLoadBalancersOnly({ allowedUses }: ClusterPool): boolean {
  return allowedUses.length > 0 && allowedUses.every((use) => use === 'LoadBalancer');
}

/** The pools of a family whose addresses are on nodes, by CIDR and name: independent of the order they came in. */
export function routedPools(pools: Iterable<ClusterPool>, family: IpFamily): readonly ClusterPool[] {
  return sortedPools(pools).filter((pool) => pool.cidr.family === family && modeOf(pool) !== undefined);
}

function sortedPools(pools: Iterable<ClusterPool>): readonly ClusterPool[] {
  return Array.from(pools).toSorted(
    (a, b) =>
      a.cidr.family - b.cidr.family ||
      compare(a.cidr.base, b.cidr.base) ||
      a.cidr.prefixLength - b.cidr.prefixLength ||
      compare(a.name, b.name),
  );
}

function compare<Value extends bigint | string>(a: Value, b: Value): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Finds the longest pool that holds the whole CIDR; of pools with one CIDR the first by name. */
export function poolFinder(pools: Iterable<ClusterPool>): (cidr: Cidr) => ClusterPool | undefined {
  const byLength = new Map<string, { length: number; family: IpFamily; pools: Map<bigint, ClusterPool> }>();
  for (const pool of sortedPools(pools)) {
    const { family, prefixLength, base } = pool.cidr;
    const group = byLength.getOrInsertComputed(`${family}/${prefixLength}`, () => ({
      length: prefixLength,
      family,
      pools: new Map<bigint, ClusterPool>(),
    }));
    if (!group.pools.has(base)) group.pools.set(base, pool);
  }
  const groups = Array.from(byLength.values()).toSorted((a, b) => b.length - a.length);
  return (cidr) => {
    for (const { length, family, pools: sameLength } of groups) {
      if (family !== cidr.family || length > cidr.prefixLength) continue;
      const pool = sameLength.get(cidrOf(baseAddress(cidr), length).base);
      if (pool !== undefined) return pool;
    }
    return undefined;
  };
}

/** One finding for each pool that lies in another. */
export function overlapFindings(pools: Iterable<ClusterPool>): readonly Finding[] {
  const findings: Finding[] = [];
  const outer: ClusterPool[] = [];
  // By first address, then by length: whatever holds a pool comes before it, and what ends before it is done with.
  for (const pool of sortedPools(pools)) {
    while (outer.length > 0 && !outer.slice(-1).some(({ cidr }) => containsCidr(cidr, pool.cidr)))
      outer.pop();
    const holder = outer.at(-1);
    if (holder !== undefined) findings.push(overlap(pool, holder));
    outer.push(pool);
  }
  return findings;
}

function overlap(pool: ClusterPool, holder: ClusterPool): Finding {
  return {
    kind: 'overlapping-pools',
    severity: 'warning',
    subject: pool.name,
    message:
      `pool ${pool.name} (${formatCidr(pool.cidr)}) lies in pool ${holder.name} (${formatCidr(holder.cidr)}): ` +
      'its blocks follow the longer one, of two alike the first by name. Give each pool addresses of its own.',
  };
}
