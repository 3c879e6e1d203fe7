/** What holds now, for Prometheus: of the datastore, the cluster, the kernel and this node's addresses. Pure. */

import { readiness } from '../health/health.ts';
import type { AgentFacts, DatastoreFacts, NotedRound } from '../journal.ts';
import { addressGauges } from './address-gauges.ts';
import { gauge, gaugeBy, type MetricFamily } from './metric-family.ts';

/** Felix's numbers for the state of its datastore. */
const RESYNC_STATE: Readonly<Record<DatastoreFacts['state'], number>> = {
  waiting: 1,
  lost: 1,
  reading: 2,
  following: 3,
};

export interface Now {
  readonly monotonicMs: number;
  /** Since the Unix epoch. */
  readonly seconds: number;
}

export function agentGauges(facts: AgentFacts, version: string, now: Now): readonly MetricFamily[] {
  const { cluster, kernel, nodeName } = facts;
  return [
    {
      ...{ type: 'gauge', name: 'calico_node_info', help: 'Always 1; its labels say what runs where.' },
      samples: [{ labels: { node: nodeName, version }, value: 1 }],
    },
    gauge(
      'calico_node_ready',
      'Whether this host is as the cluster wants it: what /readiness says.',
      Number(readiness(facts, now.monotonicMs).isWell),
    ),
    ...datastoreGauges(facts.datastore, now),
    ...timestamp(
      'calico_node_last_round_timestamp_seconds',
      'When the kernel was last looked at.',
      kernel.lookedMs,
      now,
    ),
    gauge(
      'calico_node_failing_steps',
      'Changes that the kernel refused in the last round.',
      kernel.failures.length,
    ),
    ...(kernel.round === undefined ? [] : kernelGauges(kernel.round)),
    ...(cluster === undefined
      ? []
      : [
          gauge('felix_cluster_num_hosts', 'Nodes in the datastore.', cluster.nodes.size),
          gauge('felix_active_local_endpoints', 'Workload endpoints of this node.', cluster.endpoints.size),
          gauge(
            'calico_node_unreadable_records',
            'Records of the datastore that cannot be understood.',
            cluster.unreadable.size,
          ),
          ...addressGauges(cluster),
        ]),
  ];
}

function datastoreGauges({ state, revision, heardMs }: DatastoreFacts, now: Now): readonly MetricFamily[] {
  return [
    gauge(
      'felix_resync_state',
      'State of the datastore: 1 not reached, 2 being read, 3 in sync.',
      RESYNC_STATE[state],
    ),
    ...(revision === undefined
      ? []
      : [
          gauge(
            'calico_node_datastore_revision',
            'Revision of etcd that has been heard of.',
            Number(revision),
          ),
        ]),
    ...timestamp(
      'calico_node_datastore_heard_timestamp_seconds',
      'When the datastore gave its last sign of life.',
      heardMs,
      now,
    ),
  ];
}

function timestamp(name: string, help: string, atMs: number | undefined, now: Now): readonly MetricFamily[] {
  return atMs === undefined ? [] : [gauge(name, help, now.seconds - (now.monotonicMs - atMs) / 1000)];
}

function kernelGauges({ desired, findings }: NotedRound): readonly MetricFamily[] {
  const routes = Map.groupBy(desired.routes, ({ type, device }) => device ?? type);
  const kinds = Map.groupBy(findings, ({ kind, severity }) => `${severity} ${kind}`);
  return [
    gauge('calico_node_frozen', 'Whether nothing must be changed now.', Number(desired.frozen !== undefined)),
    gaugeBy(
      'calico_node_routes',
      'Routes to other nodes that this host shall have, by device; those to nowhere by type.',
      'via',
      Array.from(routes, ([via, { length }]) => [via, length]),
    ),
    gauge('calico_node_pod_routes', 'Routes to its own pods that it shall have.', desired.podRoutes.length),
    gauge('calico_node_neighbours', 'Neighbour entries that it shall have.', desired.neighbours.length),
    gauge('calico_node_fdb_entries', 'Entries of VXLAN devices that it shall have.', desired.fdb.length),
    {
      ...{ type: 'gauge', name: 'calico_node_findings', help: 'What is wrong with the cluster or the host.' },
      samples: Array.from(kinds.values(), (found) => ({
        labels: { kind: found[0]?.kind ?? '', severity: found[0]?.severity ?? '' },
        value: found.length,
      })),
    },
  ];
}
