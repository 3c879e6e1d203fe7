/** Looks for everything that is wrong with a cluster's records. */

import { type Audit, createAudit } from '../../ipam/audit/audit.ts';
import type { Finding } from '../../ipam/audit/damage.ts';
import type { AuditScope } from '../../ipam/audit/scope.ts';
import type { WorkloadEndpoint } from '../../workload/workload-endpoint.ts';
import { type ClusterKind, type ClusterReader, type ClusterReading, readCluster } from './read-cluster.ts';

export interface AuditResult {
  readonly findings: readonly Finding[];
  /** Of the datastore, at which everything was as it was found. */
  readonly revision: string;
  /** How many records of each kind. */
  readonly counts: Readonly<Record<string, number>>;
}

export interface AuditRequest extends Pick<AuditScope, 'nowNs' | 'graceNs'> {
  /** Told of every endpoint there is. */
  readonly onEndpoint?: (key: string, endpoint: WorkloadEndpoint) => void;
}

/** Everything that blocks are compared with comes before them. */
const KINDS: readonly ClusterKind[] = [
  'pool',
  'reservation',
  'node',
  'endpoint',
  'handle',
  'affinity',
  'block',
];

export function auditCluster(reading: ClusterReading, request: AuditRequest): Promise<AuditResult> {
  return readCluster(reading, KINDS, (revision) => auditReader(request, revision));
}

function auditReader(
  { nowNs, graceNs, onEndpoint }: AuditRequest,
  revision: () => string,
): ClusterReader<AuditResult> {
  const pools: AuditScope['pools'][number][] = [];
  const nodeNames = new Set<string>();
  const findings: Finding[] = [];
  const counts: Record<string, number> = {};
  const report = (finding: Finding) => void findings.push(finding);
  let audit: Audit | undefined;
  /** Pools and nodes have been read by the time of its first use. */
  const open = () => (audit ??= createAudit({ pools, nodeNames, nowNs, graceNs }, report));
  return {
    read: (key, record) => {
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
          return open().endpoint(key, useOf(record.endpoint));
        case 'handle':
          return open().handle(key, record.handleId, record.handle, record.revision);
        case 'affinity':
          return open().affinity(key, record.nodeName, record.cidr, record.affinity, record.revision);
        case 'block':
          return open().block(key, record.block);
        case 'unreadable':
          return report({ damage: 'unreadable-record', key, text: record.why });
      }
    },
    result: () => {
      open().finish();
      return { findings, revision: revision(), counts };
    },
  };
}

function useOf({ ipNetworks, containerId, podName, namespace }: WorkloadEndpoint) {
  return { addresses: ipNetworks.map(({ address }) => address), containerId, podName, namespace };
}
