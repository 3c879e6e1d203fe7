/** The collection of garbage in numbers, for Prometheus and for `calico node status`. Pure. */

import { counter, counterBy, gauge, type MetricFamily } from '../metrics/metric-family.ts';
import type { AgentStatus } from '../status/agent-status.ts';
import type { GarbageStatus } from './garbage-report.ts';

/** Nothing where it is off; of a dry run not what has been collected, since nothing has been. */
export function garbageMetrics(status: GarbageStatus): readonly MetricFamily[] {
  if (status.mode === 'off') return [];
  const { looks, failedLooks, suspects, held, removedNodes, collected, mode } = status;
  return [
    counter('calico_node_garbage_looks_total', 'How often garbage was looked for.', looks),
    counter('calico_node_garbage_failed_looks_total', 'How often not everything could be seen.', failedLooks),
    gauge('calico_node_garbage_suspects', 'Containers of this node that look gone.', suspects),
    gauge('calico_node_garbage_held', 'Addresses that nobody seems to use and that stay.', held.length),
    gauge(
      'calico_node_garbage_removed_nodes',
      'Nodes that are gone and have left something.',
      removedNodes.length,
    ),
    ...(mode === 'on'
      ? [
          counterBy(
            'calico_node_garbage_collected_total',
            'What was given back.',
            'what',
            Object.entries(collected),
          ),
        ]
      : []),
  ];
}

/** As a section of the status; nothing where it is off. */
export function garbageStatus(status: GarbageStatus): AgentStatus['more'] {
  const { mode, graceMs, looks, failure, lastLookNs, suspects, held, removedNodes, collected } = status;
  if (mode === 'off') return {};
  return {
    'garbage collection': {
      ...{ mode, gracePeriod: `${graceMs / 1_000}s`, looks },
      ...(lastLookNs === undefined
        ? {}
        : { lastLook: new Date(Number(lastLookNs / 1_000_000n)).toISOString() }),
      ...(failure === undefined ? {} : { failure }),
      ...{
        suspects,
        held: held.length,
        removedNodes,
        [mode === 'on' ? 'collected' : 'wouldCollect']: collected,
      },
    },
  };
}
