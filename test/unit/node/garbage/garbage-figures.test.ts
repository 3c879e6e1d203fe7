import { describe, expect, it } from 'vitest';
import { garbageMetrics, garbageStatus } from '../../../../src/node/garbage/garbage-figures.ts';
import { type GarbageStatus, NOTHING_COLLECTED } from '../../../../src/node/garbage/garbage-report.ts';
import { formatMetrics } from '../../../../src/node/metrics/format-metrics.ts';
import { metricValue, readMetrics } from '../../../support/metrics-text.ts';

const ON: GarbageStatus = {
  ...{ mode: 'on', graceMs: 900_000, looks: 3, failedLooks: 1, failure: undefined, suspects: 2 },
  ...{ lastLookNs: 1_795_000_000_000_000_000n, held: [], isCollector: true, removedNodes: ['node9'] },
  collected: { ...NOTHING_COLLECTED, addresses: 4 },
};

describe('garbageMetrics()', () => {
  it('counts what was given back', () => {
    const read = readMetrics(formatMetrics(garbageMetrics(ON)));
    expect(metricValue(read, 'calico_node_garbage_collected_total', { what: 'addresses' })).toBe(4);
    expect(metricValue(read, 'calico_node_garbage_suspects')).toBe(2);
    expect(metricValue(read, 'calico_node_garbage_removed_nodes')).toBe(1);
    expect(metricValue(read, 'calico_node_garbage_failed_looks_total')).toBe(1);
  });

  it('counts nothing as given back in a dry run, and says nothing when it is off', () => {
    const names = garbageMetrics({ ...ON, mode: 'dry-run' }).map(({ name }) => name);
    expect(names).not.toContain('calico_node_garbage_collected_total');
    expect(garbageMetrics({ ...ON, mode: 'off' })).toEqual([]);
  });
});

describe('garbageStatus()', () => {
  it('is JSON, with the time of the last look', () => {
    expect(JSON.parse(JSON.stringify(garbageStatus(ON)))).toEqual({
      'garbage collection': {
        ...{ mode: 'on', gracePeriod: '900s', looks: 3, suspects: 2, held: 0, removedNodes: ['node9'] },
        lastLook: new Date(1_795_000_000_000).toISOString(),
        collected: { ...NOTHING_COLLECTED, addresses: 4 },
      },
    });
    expect(garbageStatus({ ...ON, mode: 'off' })).toEqual({});
  });

  it('does not claim that a dry run has collected anything', () => {
    expect(garbageStatus({ ...ON, mode: 'dry-run' })['garbage collection']).toHaveProperty('wouldCollect');
  });
});
