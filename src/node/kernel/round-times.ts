/** When the next round is due, and why. Pure. */

/**
 * - `wish`: something else is wanted
 * - `kernel`: somebody else has changed it
 * - `retry`: the last round failed
 * - `tick`: it was time to look at everything
 * - `pods`: a pod that is here may have lost its route
 */
export type RoundCause = 'wish' | 'kernel' | 'retry' | 'tick' | 'pods';

/** What belongs together, such as a link that goes down and its addresses, comes within this time. */
const GATHER_MS = 5;
/** Rounds that others cause take a fifth of the time at most. */
const REST_PER_ROUND = 4;
const LONGEST_REST_MS = 1_000;
/** Somebody who undoes our repairs again and again must not keep the host busy. */
const REPAIRS = { most: 20, withinMs: 10_000, thenPauseMs: 1_000 };
const TICK_MS = { least: 60_000, atRandom: 30_000 };

/** How long to wait for more after a notice. */
export function noticePauseMs(nowMs: number, lastRound: LastRound, repairsMs: readonly number[]): number {
  const restedMs = lastRound.endedMs + Math.min(LONGEST_REST_MS, REST_PER_ROUND * lastRound.elapsedMs);
  const isContested = recentRepairs(repairsMs, nowMs).length >= REPAIRS.most;
  return Math.max(GATHER_MS, restedMs - nowMs, isContested ? REPAIRS.thenPauseMs : 0);
}

export interface LastRound {
  readonly endedMs: number;
  readonly elapsedMs: number;
}

/** Those that count still. */
export function recentRepairs(repairsMs: readonly number[], nowMs: number): readonly number[] {
  return repairsMs.filter((atMs) => atMs > nowMs - REPAIRS.withinMs);
}

/** Between 60 and 90 seconds, so that the nodes of a cluster do not all look at once. `fraction` is in [0, 1). */
export function tickMs(fraction: number): number {
  return TICK_MS.least + TICK_MS.atRandom * fraction;
}
