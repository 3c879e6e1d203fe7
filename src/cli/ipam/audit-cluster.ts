/** Looks for everything that is wrong with a cluster's records. */

import type { Revision } from '../../base/revision.ts';
import { type Audit, createAudit } from '../../ipam/audit/audit.ts';
import { createCloseLook } from '../../ipam/audit/close-look.ts';
import type { Finding } from '../../ipam/audit/damage.ts';
import type { AuditScope } from '../../ipam/audit/scope.ts';
import type { Suspects } from '../../ipam/audit/sieve.ts';
import type { WorkloadEndpoint } from '../../workload/workload-endpoint.ts';
import { againOnConflict, type ClusterKind, type ClusterReading, readRecords } from './read-cluster.ts';

export interface AuditResult {
  readonly findings: readonly Finding[];
  /** Of the datastore, at which everything was as it was found. */
  readonly revision: Revision;
  /** How many records of each kind. */
  readonly counts: Readonly<Record<string, number>>;
}

export interface AuditRequest extends Pick<AuditScope, 'nowNs' | 'graceNs'> {
  /** Told of every endpoint there is; of all of them again, when everything must be read again. */
  readonly onEndpoint?: (key: string, endpoint: WorkloadEndpoint) => void;
}

/** Everything that blocks are compared with comes before them. */
const ALL: readonly ClusterKind[] = [
  'pool',
  'reservation',
  'node',
  'endpoint',
  'handle',
  'affinity',
  'block',
];
const SIFTED: readonly ClusterKind[] = ['endpoint', 'handle', 'block'];

/** Reads once where all is well, and twice where something is wrong. Throws what the store throws. */
export function auditCluster(reading: ClusterReading, request: AuditRequest): Promise<AuditResult> {
  return againOnConflict(async () => {
    const findings: Finding[] = [];
    const report = (finding: Finding) => void findings.push(finding);
    const { scope, suspects, revision, counts } = await sift(reading, request, report);
    if (!suspects.isEmpty) await lookClosely({ ...reading, at: revision }, scope, suspects, report);
    return { findings, revision, counts };
  });
}

async function sift(
  reading: ClusterReading,
  { nowNs, graceNs, onEndpoint }: AuditRequest,
  report: (finding: Finding) => void,
) {
  const pools: AuditScope['pools'][number][] = [];
  const nodeNames = new Set<string>();
  const scope = { pools, nodeNames, nowNs, graceNs };
  const counts: Record<string, number> = {};
  const audit: Audit = createAudit(scope, report);
  const revision = await readRecords(reading, ALL, (key, record) => {
    counts[record.record] = (counts[record.record] ?? 0) + 1;
    switch (record.record) {
      case 'pool':
        return void pools.push({ ...record.pool, key });
      case 'node':
        return void nodeNames.add(record.nodeName);
      case 'reservation':
        return;
      case 'endpoint':
        onEndpoint?.(key, record.endpoint);
        return audit.endpoint(useOf(record.endpoint));
      case 'handle':
        return audit.handle(record.handleId, record.handle);
      case 'affinity':
        return audit.affinity(key, record.nodeName, record.cidr, record.affinity, record.revision);
      case 'block':
        return audit.block(key, record.block);
      case 'unreadable':
        return report({ damage: 'unreadable-record', key, text: record.why });
    }
  });
  return { scope, suspects: audit.finish(), revision, counts };
}

async function lookClosely(
  reading: ClusterReading,
  scope: AuditScope,
  suspects: Suspects,
  report: (finding: Finding) => void,
): Promise<void> {
  const look = createCloseLook(scope, suspects, report);
  await readRecords(reading, SIFTED, (key, record) => {
    if (record.record === 'endpoint') look.endpoint(key, useOf(record.endpoint));
    if (record.record === 'handle') look.handle(key, record.handleId, record.handle, record.revision);
    if (record.record === 'block') look.block(key, record.block);
  });
  look.finish();
}

function useOf({ ipNetworks, containerId, podName, namespace }: WorkloadEndpoint) {
  return { addresses: ipNetworks.map(({ address }) => address), containerId, podName, namespace };
}
