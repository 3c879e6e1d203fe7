/** Counts what is used in the whole cluster. */

import type { Cidr } from '../../base/cidr.ts';
import type { IpPool } from '../../ipam/records.ts';
import { againOnConflict, type ClusterReading, readRecords } from './read-cluster.ts';
import { type ClusterUsage, clusterUsage, type PlacedBlock, placedBlock } from './usage.ts';

export interface UsageReport {
  readonly usage: ClusterUsage;
  /** Sentences about records that could not be understood. */
  readonly warnings: readonly string[];
}

export function readUsage(reading: ClusterReading): Promise<UsageReport> {
  return againOnConflict(async () => {
    const pools: IpPool[] = [];
    const reservations: Cidr[] = [];
    const blocks: PlacedBlock[] = [];
    const warnings: string[] = [];
    await readRecords(reading, ['pool', 'reservation', 'block'], (_key, record) => {
      if (record.record === 'pool') pools.push(record.pool);
      if (record.record === 'reservation') reservations.push(...record.cidrs);
      if (record.record === 'block') blocks.push(placedBlock(record.block, reservations));
      if (record.record === 'unreadable') warnings.push(record.why);
    });
    return { usage: clusterUsage(pools, reservations, blocks), warnings };
  });
}
