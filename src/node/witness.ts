/** Somebody who is told what the agent sees and does, and has no part in it. Pure types. */

import type { Revision } from '../base/revision.ts';
import type { ClusterState } from './cluster.ts';
import type { Round } from './kernel/keep-equal.ts';
import type { FollowEvent } from './watch/datastore-follower.ts';

/** None of these may throw. */
export interface AgentWitness {
  readonly onEvent: (event: FollowEvent) => void;
  /** The datastore has given a sign of life; nothing before this revision is missing. */
  readonly onHeard: (revision: Revision) => void;
  /** `heardMs`: when the change arrived, on the monotonic clock, if the kernel may have to change because of it. */
  readonly onCluster: (state: ClusterState, heardMs: number | undefined) => void;
  /** After every round. */
  readonly onRound: (round: Round) => void;
}

/** Tells all of them. */
export function witnesses(...all: readonly AgentWitness[]): AgentWitness {
  return {
    onEvent: (event) => {
      for (const one of all) one.onEvent(event);
    },
    onHeard: (revision) => {
      for (const one of all) one.onHeard(revision);
    },
    onCluster: (state, heardMs) => {
      for (const one of all) one.onCluster(state, heardMs);
    },
    onRound: (round) => {
      for (const one of all) one.onRound(round);
    },
  };
}
