import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { desiredHost } from '../../../../src/node/desired/desire.ts';
import { openJournal } from '../../../../src/node/journal.ts';
import { createAgentCounters } from '../../../../src/node/metrics/agent-counters.ts';
import { agentGauges } from '../../../../src/node/metrics/agent-gauges.ts';
import { watchEventLoop } from '../../../../src/node/metrics/event-loop-lag.ts';
import { processFigures } from '../../../../src/node/metrics/process-figures.ts';
import { REPOSITORY } from '../../../support/tools.ts';
import { clusterOf } from '../records.ts';
import { BLOCKS, factsOf, NODES, vxlanPool } from '../three-hosts.ts';

/** Of an agent that has something to say about everything. */
function metricNames(): readonly string[] {
  const clock = { monotonicMs: () => 0 };
  const cluster = clusterOf('node1', ...NODES, ...BLOCKS, vxlanPool('Always'));
  const desired = desiredHost(cluster, factsOf('node1'));
  const { findings } = desired;
  const journal = openJournal('node1', clock);
  journal.onHeard('1');
  journal.onCluster(cluster, undefined);
  journal.onRound({ desired, findings, steps: [], nat: [], failures: [], cause: 'wish', elapsedMs: 1 });
  using loop = watchEventLoop(clock);
  const gauges = agentGauges(journal.facts(), '1', { monotonicMs: 0, seconds: 0 });
  const counted = [createAgentCounters(clock).families, loop.families, processFigures];
  return [...gauges, ...counted.flatMap((families) => families())].map(({ name }) => name);
}

describe('docs/node.md', () => {
  const text = readFileSync(join(REPOSITORY, 'docs/node.md'), 'utf8');
  const [, metrics = ''] = /\n## Metrics\n([\s\S]*?)\n## /.exec(text) ?? [];
  const rows = metrics.split('\n').filter((line) => line.startsWith('| `'));
  const written = rows.flatMap((row) =>
    [...(row.split('|')[1] ?? '').matchAll(/`(\w+)`/g)].map(([, name]) => name),
  );

  it('names every metric, and none that is not there', () => {
    expect(written.toSorted()).toEqual(metricNames().toSorted());
  });
});
