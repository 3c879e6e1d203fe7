import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseCidr } from '../../../src/base/cidr.ts';
import { type Cluster, cluster, node, pool } from './support/cluster.ts';
import { beginHistory, type Event, endHistory, type History, happen } from './support/history.ts';

const KINDS: readonly fc.WeightedArbitrary<Event['kind']>[] = [
  { weight: 6, arbitrary: fc.constant('add') },
  { weight: 5, arbitrary: fc.constant('delete') },
  { weight: 24, arbitrary: fc.constant('run') },
  { weight: 1, arbitrary: fc.constant('kill') },
  { weight: 2, arbitrary: fc.constant('lose answer') },
  { weight: 4, arbitrary: fc.constant('wait') },
  { weight: 1, arbitrary: fc.constant('release affinity') },
  { weight: 1, arbitrary: fc.constant('toggle pool') },
];
const EVENTS = fc.array(fc.record({ kind: fc.oneof(...KINDS), who: fc.nat(11), what: fc.nat(97) }), {
  minLength: 30,
  maxLength: 200,
  size: 'max',
});

/** Two blocks of four addresses and four of two, for three nodes: crowded, so that all choices are made. */
function crowded(changes: Parameters<typeof cluster>[0] = {}): Cluster {
  return cluster({
    pools: [pool('10.9.0.0/29', 30), pool('fd00::/125', 127)],
    nodes: ['node1', 'node2', 'node3'].map((name) => node(name)),
    ...changes,
  });
}

function run(start: Cluster, events: readonly Event[]): History {
  return endHistory(events.reduce(happen, beginHistory(start)));
}

/** Lets the processes that were begun run to their end. */
function finish(history: History): History {
  return history.processes.length === 0 ? history : finish(happen(history, { kind: 'run', who: 0, what: 0 }));
}

function check(start: Cluster): void {
  fc.assert(
    fc.property(EVENTS, (events) => {
      const end = run(start, events);
      expect(end.violations).toEqual([]);
      expect([...end.cluster.handles.keys()]).toEqual([]);
    }),
    { numRuns: 100 },
  );
}

describe('any history of adding, deleting, killed and interleaved processes', () => {
  it('keeps every record consistent and leaks nothing', () => check(crowded()));
  it('also under strict affinity', () => check(crowded({ config: { strictAffinity: true } })));
  it('also with a cooldown', () => check(crowded({ config: { cooldownSeconds: 30 } })));
  it('also with reservations', () =>
    check(crowded({ reservations: [parseCidr('10.9.0.0/31'), parseCidr('fd00::4/127')] })));

  it('comes to every choice there is', () => {
    const histories = fc.sample(EVENTS, { numRuns: 200, seed: 1 });
    const notes = histories.flatMap((events) => run(crowded(), events).notes);
    for (const choice of [/^claimed block \S+$/, /which nobody had/, /^took over/, /^borrowed/]) {
      expect(notes.filter((note) => choice.test(note)).length).toBeGreaterThan(5);
    }
  });
});

describe('planAssignment()', () => {
  it('keeps a node within its block limit, as long as the node does one thing after the other', () => {
    const start = crowded({
      pools: [pool('10.9.0.0/27', 30)],
      config: { maxBlocksPerHost: 2, strictAffinity: true },
    });
    const step = fc.record({
      kind: fc.constantFrom('add', 'add', 'delete', 'wait'),
      who: fc.nat(30),
      what: fc.nat(97),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60, size: 'max' }), (steps) => {
        const end = steps.reduce((now, event) => finish(happen(now, event)), beginHistory(start));
        expect(end.violations).toEqual([]);
      }),
      { numRuns: 50 },
    );
  });
});
