/**
 * How many addresses this node has of each pool, with the names of kube-controllers. Each node tells only of itself: the
 * sum over all of them is that of the cluster, and what one of them tells does not grow with it. Pure.
 */

import { addressCount, type Cidr, hostCidr } from '../../base/cidr.ts';
import type { ClusterState } from '../cluster.ts';
import { poolFinder } from '../desired/pools.ts';
import type { MetricFamily, Sample } from './metric-family.ts';

/** In no pool, as kube-controllers calls it. */
const NO_POOL = 'no_ippool';

interface PoolUse {
  blocks: number;
  inUse: number;
  borrowed: number;
}

export function addressGauges(cluster: ClusterState): readonly MetricFamily[] {
  const uses = usesByPool(cluster);
  const samples = (member: keyof PoolUse): readonly Sample[] =>
    Array.from(uses, ([ippool, use]) => ({
      labels: { ippool, node: cluster.nodeName },
      value: use[member],
    }));
  return [
    {
      ...{ type: 'gauge', name: 'ipam_allocations_in_use', samples: samples('inUse') },
      help: 'Addresses that this node holds of each pool.',
    },
    {
      ...{ type: 'gauge', name: 'ipam_allocations_borrowed', samples: samples('borrowed') },
      help: 'Addresses that this node holds in blocks of other nodes.',
    },
    {
      ...{ type: 'gauge', name: 'ipam_blocks', samples: samples('blocks') },
      help: 'Blocks that belong to this node.',
    },
    {
      ...{ type: 'gauge', name: 'ipam_ippool_size', help: 'Addresses of each pool.' },
      samples: Array.from(cluster.pools.values(), ({ name, cidr }) => ({
        labels: { ippool: name },
        value: Number(addressCount(cidr)),
      })),
    },
  ];
}

function usesByPool({ pools, blocks, ownAllocations, nodeName }: ClusterState): ReadonlyMap<string, PoolUse> {
  const poolOf = poolFinder(pools.values());
  const uses = new Map(Array.from(pools.keys(), (name) => [name, noUse()]));
  const useOf = (cidr: Cidr) => uses.getOrInsertComputed(poolOf(cidr)?.name ?? NO_POOL, noUse);
  for (const [key, { cidr, owner, borrowed }] of blocks) {
    if (owner === nodeName) {
      const use = useOf(cidr);
      use.blocks += 1;
      use.inUse += ownAllocations.get(key) ?? 0;
    }
    for (const { address, nodeName: holder } of borrowed) {
      if (holder !== nodeName) continue;
      const use = useOf(hostCidr(address));
      use.inUse += 1;
      use.borrowed += 1;
    }
  }
  return uses;
}

function noUse(): PoolUse {
  return { blocks: 0, inUse: 0, borrowed: 0 };
}
