/** What the agent has come to so far: for its health, its status and its metrics. */

import type { CalicoError } from '../base/calico-error.ts';
import type { Clock } from '../base/deadline.ts';
import type { Revision } from '../base/revision.ts';
import type { ClusterState } from './cluster.ts';
import type { DesiredHost } from './desired/desired-host.ts';
import type { Round } from './kernel/keep-equal.ts';
import type { AgentWitness } from './witness.ts';

/** All times are of the monotonic clock, in milliseconds. */
export interface AgentFacts {
  readonly nodeName: string;
  readonly beganMs: number;
  /** What must end before anything is begun. */
  readonly waitsFor: string | undefined;
  readonly datastore: DatastoreFacts;
  /** `undefined`: not known yet. */
  readonly cluster: ClusterState | undefined;
  readonly kernel: KernelFacts;
}

export interface DatastoreFacts {
  /**
   * - `waiting`: it is not reached, and nothing has been read yet
   * - `reading`: everything is read
   * - `following`: every change is heard of
   * - `lost`: it is not reached; what is known stays
   */
  readonly state: 'waiting' | 'reading' | 'following' | 'lost';
  /** When this state began. */
  readonly sinceMs: number;
  /** Nothing before it is missing; `undefined`: nothing has been read yet. */
  readonly revision: Revision | undefined;
  /** When there was a last sign of life. */
  readonly heardMs: number | undefined;
  /** Why it was lost; `undefined` again as soon as it answers. */
  readonly error: CalicoError | undefined;
}

export interface KernelFacts {
  /** Since when everything was as wanted for the first time. */
  readonly equalSinceMs: number | undefined;
  /** The end of the last round. */
  readonly lookedMs: number | undefined;
  /** The last round that was made with knowledge of the cluster. */
  readonly round: NotedRound | undefined;
  /** Of the last round, whatever it knew. */
  readonly failures: readonly CalicoError[];
  /** Since when every round has failed. */
  readonly failingSinceMs: number | undefined;
}

/** Without its steps: at the first round they are as many as a cluster has nodes and blocks. */
export interface NotedRound extends Pick<Round, 'cause' | 'elapsedMs' | 'findings'> {
  readonly desired: DesiredHost;
  /** Without those that the kernel refused. */
  readonly changes: number;
}

export interface AgentJournal extends AgentWitness {
  readonly facts: () => AgentFacts;
  /** `undefined`: it waits no longer. */
  readonly waitsFor: (reason: string | undefined) => void;
}

export function openJournal(nodeName: string, clock: Pick<Clock, 'monotonicMs'>): AgentJournal {
  const beganMs = clock.monotonicMs();
  let facts: AgentFacts = {
    ...{ nodeName, beganMs, waitsFor: undefined, cluster: undefined },
    datastore: {
      state: 'waiting',
      sinceMs: beganMs,
      revision: undefined,
      heardMs: undefined,
      error: undefined,
    },
    kernel: {
      ...{ equalSinceMs: undefined, lookedMs: undefined, round: undefined },
      ...{ failures: [], failingSinceMs: undefined },
    },
  };

  function noteDatastore(change: Partial<DatastoreFacts>): void {
    const { datastore } = facts;
    const isOther = change.state !== undefined && change.state !== datastore.state;
    const sinceMs = isOther ? clock.monotonicMs() : datastore.sinceMs;
    facts = { ...facts, datastore: { ...datastore, sinceMs, ...change } };
  }

  return {
    facts: () => facts,
    waitsFor: (waitsFor) => {
      facts = { ...facts, waitsFor };
    },
    onEvent: (event) => {
      if (event.type === 'reading') noteDatastore({ state: 'reading' });
      if (event.type === 'connected') noteDatastore({ state: 'following', error: undefined });
      if (event.type === 'disconnected') {
        const isKnown = facts.datastore.revision !== undefined;
        noteDatastore({ state: isKnown ? 'lost' : 'waiting', error: event.error });
      }
    },
    onHeard: (revision) => noteDatastore({ revision, heardMs: clock.monotonicMs() }),
    onCluster: (cluster) => {
      facts = { ...facts, cluster };
    },
    onRound: (round) => {
      facts = { ...facts, kernel: afterRound(facts.kernel, round, clock.monotonicMs()) };
    },
  };
}

function afterRound(kernel: KernelFacts, round: Round, nowMs: number): KernelFacts {
  const isFailed = round.failures.length > 0;
  const looked = {
    ...kernel,
    lookedMs: nowMs,
    failures: round.failures,
    failingSinceMs: isFailed ? (kernel.failingSinceMs ?? nowMs) : undefined,
  };
  const { desired, cause, elapsedMs, findings, steps, nat } = round;
  if (desired === undefined) return looked;
  const isEqual = !isFailed && desired.frozen === undefined;
  const changes = Math.max(0, steps.length + nat.length - round.failures.length);
  const noted = { desired, cause, elapsedMs, findings, changes };
  return { ...looked, round: noted, equalSinceMs: kernel.equalSinceMs ?? (isEqual ? nowMs : undefined) };
}
