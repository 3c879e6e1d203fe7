/** Whether the agent lives, and whether pods may rely on it, in the words of whoever is woken by it. Pure. */

import type { AgentFacts } from '../journal.ts';

export interface Health {
  readonly isWell: boolean;
  /** What is wrong, or worth knowing: a sentence each. */
  readonly notes: readonly string[];
}

/** The kernel is looked at every 60 to 90 seconds, whatever happens: two are missing by then. */
const STUCK_MS = 200_000;
/** A step that fails is tried again soon: what lasts so long does not pass by itself. */
const FAILING_MS = 60_000;

/** Whether it goes on with its rounds, with or without a datastore: if not, only a restart helps. */
export function liveness({ kernel }: AgentFacts, nowMs: number): Health {
  const idleMs = nowMs - (kernel.lookedMs ?? nowMs);
  if (idleMs <= STUCK_MS) return { isWell: true, notes: [] };
  return { isWell: false, notes: [`the kernel has not been looked at for ${seconds(idleMs)}`] };
}

/**
 * Whether this host is as the cluster wants it. It needs one success, and no failures that last. A datastore that is lost
 * later makes no difference, since the network goes on: it is only told.
 */
export function readiness(facts: AgentFacts, nowMs: number): Health {
  const { kernel } = facts;
  const notes = [...datastoreNotes(facts, nowMs), ...kernelNotes(facts)];
  const failingMs = kernel.failingSinceMs === undefined ? 0 : nowMs - kernel.failingSinceMs;
  return { isWell: kernel.equalSinceMs !== undefined && failingMs <= FAILING_MS, notes };
}

function datastoreNotes({ datastore, waitsFor }: AgentFacts, nowMs: number): readonly string[] {
  if (waitsFor !== undefined) return [`nothing is begun: ${waitsFor}`];
  const { state, sinceMs, revision, error } = datastore;
  const why = error === undefined ? '' : `: ${error.message}`;
  if (state === 'lost')
    return [`the datastore has not been reached for ${seconds(nowMs - sinceMs)}${why}; what is known stays`];
  if (revision === undefined) return [`the datastore has not been read yet${why}`];
  return [];
}

function kernelNotes({ cluster, kernel }: AgentFacts): readonly string[] {
  if (cluster === undefined) return [];
  if (kernel.round === undefined && kernel.failures.length === 0)
    return ['the kernel has not been looked at yet'];
  const frozen = kernel.round?.desired.frozen;
  return [
    ...(frozen === undefined ? [] : [`nothing is changed: ${frozen}`]),
    ...kernel.failures.map(({ message }) => message),
  ];
}

function seconds(ms: number): string {
  return `${Math.round(ms / 1000)} s`;
}

/** As plain text: a word, then a line for each note. */
export function formatHealth({ isWell, notes }: Health, word: string): string {
  return [isWell ? word : `not ${word}`, ...notes].map((line) => `${line}\n`).join('');
}
