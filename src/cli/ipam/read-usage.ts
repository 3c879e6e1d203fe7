/** Counts what is used in the whole cluster. */

import type { Cidr } from '../../base/cidr.ts';
import type { IpPool } from '../../ipam/records.ts';
import { type ClusterReader, type ClusterReading, readCluster } from './read-cluster.ts';
import { type ClusterUsage, clusterUsage, type PlacedBlock, placedBlock } from './usage.ts';

export interface UsageReport {
  readonly usage: ClusterUsage;
  /** Sentences about records that could not be understood. */
  readonly warnings: readonly string[];
}

export function readUsage(reading: ClusterReading): Promise<UsageReport> {
  return readCluster(reading, ['pool', 'reservation', 'block'], usageReader);
}

function usageReader(): ClusterReader<UsageReport> {
  const pools: IpPool[] = [];
  const reservations: Cidr[] = [];
  const blocks: PlacedBlock[] = [];
  const warnings: string[] = [];
  return {
    read: (_key, record) => {
      if (record.record === 'pool') pools.push(record.pool);
      if (record.record === 'reservation') reservations.push(...record.cidrs);
      if (record.record === 'block') blocks.push(placedBlock(record.block, reservations));
      if (record.record === 'unreadable') warnings.push(record.why);
    },
    result: () => ({ usage: clusterUsage(pools, reservations, blocks), warnings }),
  };
}
