import { describe, expect, it } from 'vitest';
import { CalicoError } from '../../../src/base/calico-error.ts';
import { desiredHost } from '../../../src/node/desired/desire.ts';
import { formatHealth, liveness, readiness } from '../../../src/node/health/health.ts';
import { openJournal } from '../../../src/node/journal.ts';
import type { Round } from '../../../src/node/kernel/keep-equal.ts';
import { clusterOf, READY } from './records.ts';
import { BLOCKS, factsOf, NODES, vxlanPool } from './three-hosts.ts';

const cluster = clusterOf('node1', READY, ...NODES, ...BLOCKS, vxlanPool('Always'));
const lost = new CalicoError('unavailable', 'no endpoint answers');
const refused = new CalicoError('network', 'failed: ip link add vxlan.calico');

function round(change: Partial<Round> = {}): Round {
  const desired = desiredHost(cluster, factsOf('node1'));
  return { desired, steps: [], nat: [], findings: [], failures: [], cause: 'wish', elapsedMs: 1, ...change };
}

function open() {
  let nowMs = 1_000;
  const journal = openJournal('node1', { monotonicMs: () => nowMs });
  return {
    ...journal,
    pass: (ms: number) => {
      nowMs += ms;
    },
    live: () => liveness(journal.facts(), nowMs),
    ready: () => readiness(journal.facts(), nowMs),
  };
}

/** As far as the first round. */
function begun() {
  const agent = open();
  agent.onEvent({ type: 'reading', why: 'the agent has just begun', cause: 'start' });
  agent.onHeard('7');
  agent.onCluster(cluster, undefined);
  agent.onRound(round());
  agent.onEvent({ type: 'connected', revision: '7' });
  return agent;
}

describe('readiness()', () => {
  it('comes with the first round that leaves the kernel as wanted', () => {
    const agent = open();
    expect(agent.ready()).toEqual({ isWell: false, notes: ['the datastore has not been read yet'] });
    agent.onEvent({ type: 'disconnected', error: lost, pauseMs: 100 });
    expect(agent.ready().notes).toEqual(['the datastore has not been read yet: no endpoint answers']);
    agent.onHeard('7');
    agent.onCluster(cluster, undefined);
    expect(agent.ready()).toEqual({ isWell: false, notes: ['the kernel has not been looked at yet'] });
    agent.onRound(round({ failures: [refused] }));
    expect(agent.ready()).toEqual({ isWell: false, notes: [refused.message] });
    agent.onRound(round());
    agent.onEvent({ type: 'connected', revision: '7' });
    expect(agent.ready()).toEqual({ isWell: true, notes: [] });
  });

  it('does not come while nothing may be changed', () => {
    const agent = open();
    const frozen = { ...cluster, isDatastoreReady: false };
    agent.onHeard('7');
    agent.onCluster(frozen, undefined);
    agent.onRound(round({ desired: desiredHost(frozen, factsOf('node1')) }));
    expect(agent.ready().isWell).toBe(false);
    expect(agent.ready().notes[0]).toContain('nothing is changed: the datastore is not ready');
  });

  it('waits for what must end before', () => {
    const agent = open();
    agent.waitsFor('Felix runs on this host');
    expect(agent.ready()).toEqual({ isWell: false, notes: ['nothing is begun: Felix runs on this host'] });
    agent.waitsFor(undefined);
    expect(agent.ready().notes).toEqual(['the datastore has not been read yet']);
  });

  it('outlives the datastore, and tells since when', () => {
    const agent = begun();
    agent.onEvent({ type: 'disconnected', error: lost, pauseMs: 100 });
    agent.pass(30_000);
    agent.onEvent({ type: 'disconnected', error: lost, pauseMs: 100 });
    agent.pass(30_000);
    expect(agent.ready()).toEqual({
      isWell: true,
      notes: ['the datastore has not been reached for 60 s: no endpoint answers; what is known stays'],
    });
    agent.onEvent({ type: 'connected', revision: '9' });
    expect(agent.ready().notes).toEqual([]);
  });

  it('ends with failures that last a minute, and comes back with a success', () => {
    const agent = begun();
    agent.onRound(round({ failures: [refused] }));
    agent.pass(50_000);
    agent.onRound(round({ failures: [refused] }));
    expect(agent.ready()).toEqual({ isWell: true, notes: [refused.message] });
    agent.pass(10_001);
    expect(agent.ready().isWell).toBe(false);
    agent.onRound(round());
    expect(agent.ready()).toEqual({ isWell: true, notes: [] });
  });

  it('is told of a kernel that cannot be looked at', () => {
    const agent = begun();
    agent.onRound(round({ desired: undefined, failures: [refused] }));
    expect(agent.ready().notes).toEqual([refused.message]);
    expect(agent.facts().kernel.round?.desired).toBeDefined();
  });
});

describe('liveness()', () => {
  it('needs rounds to go on, but no datastore', () => {
    const agent = open();
    agent.pass(1_000_000);
    expect(agent.live()).toEqual({ isWell: true, notes: [] });
    agent.onRound(round({ desired: undefined }));
    agent.pass(200_001);
    expect(agent.live()).toEqual({
      isWell: false,
      notes: ['the kernel has not been looked at for 200 s'],
    });
    agent.onRound(round({ desired: undefined }));
    expect(agent.live().isWell).toBe(true);
  });
});

it('formatHealth() gives a word and a line for each note', () => {
  expect(formatHealth({ isWell: true, notes: [] }, 'ready')).toBe('ready\n');
  expect(formatHealth({ isWell: false, notes: ['a', 'b'] }, 'ready')).toBe('not ready\na\nb\n');
});
