import { describe, expect, it } from 'vitest';
import { CalicoError } from '../../../../src/base/calico-error.ts';
import type { ClusterState } from '../../../../src/node/cluster.ts';
import { desiredHost } from '../../../../src/node/desired/desire.ts';
import { openJournal } from '../../../../src/node/journal.ts';
import type { Round } from '../../../../src/node/kernel/keep-equal.ts';
import { addressGauges } from '../../../../src/node/metrics/address-gauges.ts';
import { createAgentCounters } from '../../../../src/node/metrics/agent-counters.ts';
import { agentGauges } from '../../../../src/node/metrics/agent-gauges.ts';
import { formatMetrics } from '../../../../src/node/metrics/format-metrics.ts';
import { processFigures } from '../../../../src/node/metrics/process-figures.ts';
import { metricValue, readMetrics } from '../../../support/metrics-text.ts';
import { blockRecord, clusterOf, poolRecord, READY } from '../records.ts';
import { BLOCKS, factsOf, NODES, vxlanPool } from '../three-hosts.ts';

const cluster = clusterOf('node1', READY, ...NODES, ...BLOCKS, vxlanPool('CrossSubnet'));

function roundOf(state: ClusterState, change: Partial<Round> = {}): Round {
  const desired = desiredHost(state, factsOf('node1'));
  const { findings } = desired;
  return { desired, steps: [], nat: [], findings, failures: [], cause: 'wish', elapsedMs: 4, ...change };
}

describe('agentGauges()', () => {
  it('says little before the datastore has been read', () => {
    const { facts } = openJournal('node1', { monotonicMs: () => 5 });
    const read = readMetrics(formatMetrics(agentGauges(facts(), '1.2.3', { monotonicMs: 5, seconds: 9 })));
    expect([...read.keys()]).toEqual([
      ...['calico_node_info', 'calico_node_ready', 'felix_resync_state', 'calico_node_failing_steps'],
    ]);
    expect(metricValue(read, 'calico_node_info', { version: '1.2.3', node: 'node1' })).toBe(1);
    expect(metricValue(read, 'felix_resync_state')).toBe(1);
  });

  it('counts what the host shall hold, and what is wrong', () => {
    const journal = openJournal('node1', { monotonicMs: () => 1_000 });
    const stray = clusterOf(
      'node1',
      READY,
      ...NODES,
      ...BLOCKS,
      vxlanPool('CrossSubnet'),
      blockRecord('10.99.0.0/28', 'host:node2'),
    );
    journal.onEvent({ type: 'reading', why: '', cause: 'start' });
    journal.onHeard('42');
    journal.onCluster(stray, undefined);
    journal.onRound(roundOf(stray));
    const read = readMetrics(
      formatMetrics(agentGauges(journal.facts(), '1', { monotonicMs: 3_000, seconds: 1_000 })),
    );
    const value = (name: string, labels = {}) => metricValue(read, name, labels);
    expect(value('felix_resync_state')).toBe(2);
    expect(value('calico_node_datastore_revision')).toBe(42);
    expect(value('calico_node_datastore_heard_timestamp_seconds')).toBe(998);
    expect(value('calico_node_last_round_timestamp_seconds')).toBe(998);
    expect(value('calico_node_routes', { via: 'vxlan.calico' })).toBe(1);
    expect(value('calico_node_routes', { via: 'eth0' })).toBe(1);
    expect(value('calico_node_routes', { via: 'blackhole' })).toBe(1);
    expect(value('calico_node_neighbours')).toBe(2);
    expect(value('calico_node_findings', { kind: 'block-outside-pools', severity: 'warning' })).toBe(1);
    expect(value('felix_cluster_num_hosts')).toBe(3);
  });
});

describe('addressGauges()', () => {
  it('counts for each pool what this node holds in blocks of its own and of others', () => {
    const state = clusterOf(
      'node1',
      poolRecord('one', '10.1.0.0/16', {}),
      poolRecord('two', '10.2.0.0/16', {}),
      blockRecord('10.1.0.0/28', 'host:node1', { 0: 'node1', 1: 'node1', 2: 'node2', 3: null }),
      blockRecord('10.1.0.16/28', 'host:node1', { 0: 'node1' }),
      blockRecord('10.1.0.32/28', 'host:node2', { 0: 'node2', 5: 'node1' }),
      blockRecord('10.9.0.0/28', 'host:node1', { 0: 'node1' }),
    );
    const read = readMetrics(formatMetrics(addressGauges(state)));
    const of = (name: string) =>
      ['one', 'two', 'no_ippool'].map((ippool) => metricValue(read, name, { ippool, node: 'node1' }));
    expect(of('ipam_allocations_in_use')).toEqual([4, 0, 1]);
    expect(of('ipam_allocations_borrowed')).toEqual([1, 0, 0]);
    expect(of('ipam_blocks')).toEqual([2, 0, 1]);
    expect(metricValue(read, 'ipam_ippool_size', { ippool: 'one' })).toBe(65_536);
  });
});

describe('createAgentCounters()', () => {
  function open() {
    let nowMs = 0;
    const counters = createAgentCounters({ monotonicMs: () => nowMs });
    const value = (name: string, labels = {}) =>
      metricValue(readMetrics(formatMetrics(counters.families())), name, labels);
    const at = (ms: number) => {
      nowMs = ms;
      return counters;
    };
    return { at, value };
  }

  it('counts readings by cause, losses, steps and failures', () => {
    const { at, value } = open();
    const counters = at(0);
    counters.onEvent({ type: 'reading', why: '', cause: 'compacted' });
    counters.onEvent({ type: 'disconnected', error: new CalicoError('unavailable', 'x'), pauseMs: 1 });
    counters.onRound(
      roundOf(cluster, {
        cause: 'tick',
        steps: [{ do: 'set-up', device: 'vxlan.calico' }],
        nat: [4],
        failures: [new CalicoError('network', 'x')],
      }),
    );
    expect(value('calico_node_resyncs_total', { cause: 'compacted' })).toBe(1);
    expect(value('calico_node_resyncs_total', { cause: 'start' })).toBe(0);
    expect(value('felix_resyncs_started')).toBe(1);
    expect(value('calico_node_datastore_disconnects_total')).toBe(1);
    expect(value('calico_node_steps_total', { step: 'set-up' })).toBe(1);
    expect(value('calico_node_steps_total', { step: 'replace-nat-table-ipv4' })).toBe(1);
    expect(value('felix_int_dataplane_failures')).toBe(1);
    expect(value('calico_node_round_duration_seconds_sum', { cause: 'tick' })).toBe(0.004);
  });

  it('measures from the first change that arrived to the round that has settled all', () => {
    const { at, value } = open();
    at(100).onCluster(cluster, 90);
    at(110).onCluster(cluster, 105);
    at(120).onRound(roundOf(cluster, { failures: [new CalicoError('network', 'x')] }));
    expect(value('calico_node_convergence_seconds_count')).toBe(0);
    at(140).onRound(roundOf(cluster));
    at(150).onRound(roundOf(cluster));
    expect(value('calico_node_convergence_seconds_count')).toBe(1);
    expect(value('calico_node_convergence_seconds_sum')).toBe(0.05);
  });

  it('measures nothing that the kernel need not follow', () => {
    const { at, value } = open();
    at(100).onCluster(cluster, undefined);
    at(120).onRound(roundOf(cluster));
    expect(value('calico_node_convergence_seconds_count')).toBe(0);
  });
});

it('processFigures() agrees with what Node.js says of this process', () => {
  const read = readMetrics(formatMetrics(processFigures()));
  const value = (name: string) => metricValue(read, name) ?? Number.NaN;
  expect(value('process_resident_memory_bytes') / process.memoryUsage.rss()).toBeCloseTo(1, 0);
  const { user, system } = process.cpuUsage();
  expect(Math.abs(value('process_cpu_seconds_total') - (user + system) / 1e6)).toBeLessThan(0.5);
  expect(Math.abs(value('process_start_time_seconds') - (Date.now() / 1000 - process.uptime()))).toBeLessThan(
    2,
  );
  expect(value('process_open_fds')).toBeGreaterThan(2);
});
