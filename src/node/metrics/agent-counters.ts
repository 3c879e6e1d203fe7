/** Counts what the agent does, and how long it takes. */

import type { Clock } from '../../base/deadline.ts';
import type { Round } from '../kernel/keep-equal.ts';
import type { RoundCause } from '../kernel/round-times.ts';
import type { ReadingCause } from '../watch/datastore-follower.ts';
import type { AgentWitness } from '../witness.ts';
import { createCounter } from './counter.ts';
import { createHistogram } from './histogram.ts';
import type { MetricSource } from './metric-family.ts';

export interface AgentCounters extends AgentWitness {
  readonly families: MetricSource;
}

const READING_CAUSES: readonly ReadingCause[] = ['start', 'compacted', 'other-history', 'doubt', 'asked'];
const ROUND_CAUSES: readonly RoundCause[] = ['wish', 'kernel', 'retry', 'tick', 'pods'];

export function createAgentCounters(clock: Pick<Clock, 'monotonicMs'>): AgentCounters {
  const counters = openCounters();
  /** When the first change arrived that the kernel may not show yet. */
  let awaitedMs: number | undefined;

  function settleConvergence({ desired, failures }: Round): void {
    if (awaitedMs === undefined || desired === undefined || desired.frozen !== undefined) return;
    if (failures.length > 0) return;
    counters.convergence.observe((clock.monotonicMs() - awaitedMs) / 1000);
    awaitedMs = undefined;
  }

  return {
    families: () => Object.values(counters).map((counter) => counter.family()),
    onHeard: () => undefined,
    onEvent: (event) => {
      if (event.type === 'disconnected') counters.disconnects.add();
      if (event.type !== 'reading') return;
      counters.started.add();
      counters.resyncs.add({ cause: event.cause });
    },
    onCluster: (_state, heardMs) => {
      awaitedMs ??= heardMs;
    },
    onRound: (round) => {
      counters.rounds.observe(round.elapsedMs / 1000, { cause: round.cause });
      for (const step of round.steps) counters.steps.add({ step: step.do });
      for (const family of round.nat) counters.steps.add({ step: `replace-nat-table-ipv${family}` });
      counters.failures.add({}, round.failures.length);
      settleConvergence(round);
    },
  };
}

/** Where Felix has a number of the same meaning, it has Felix's name. */
function openCounters() {
  return {
    started: createCounter('felix_resyncs_started', 'How often everything was read from the datastore.', [
      {},
    ]),
    resyncs: createCounter(
      'calico_node_resyncs_total',
      'How often everything was read from the datastore, by the reason.',
      READING_CAUSES.map((cause) => ({ cause })),
    ),
    disconnects: createCounter(
      'calico_node_datastore_disconnects_total',
      'How often the datastore was lost or could not be reached.',
      [{}],
    ),
    rounds: createHistogram(
      'calico_node_round_duration_seconds',
      'Time of the rounds of looking at the kernel and changing it, by what caused them.',
      undefined,
      ROUND_CAUSES.map((cause) => ({ cause })),
    ),
    convergence: createHistogram(
      'calico_node_convergence_seconds',
      'Time from the arrival of a change until the kernel has what follows from it.',
      undefined,
      [{}],
    ),
    steps: createCounter('calico_node_steps_total', 'Changes that were tried in the kernel, by kind.'),
    failures: createCounter('felix_int_dataplane_failures', 'Changes that the kernel refused.', [{}]),
  };
}
