/**
 * How long a call may take, in milliseconds. Kubelet gives a sandbox two minutes; a plugin that fails sooner, and
 * says why, is tried again sooner.
 */
export const ADD_BUDGET_MS = 30_000;
export const DEL_BUDGET_MS = 30_000;
/** A runtime has CHECK done on many pods, one after another. */
export const CHECK_BUDGET_MS = 10_000;
/** How long a call waits for its turn on the node, before its own budget goes on: after that it works without. */
export const LOCK_BUDGET_MS = 15_000;
/** Taking back what a failed ADD did has time of its own: the ADD's is often what ran out. */
export const ROLLBACK_BUDGET_MS = 10_000;
/** A GC has a whole node to look after, and nobody waits for it. */
export const GC_BUDGET_MS = 60_000;
/** How long each of those that a STATUS asks may take to answer. */
export const STATUS_ANSWER_MS = 2_000;
/** Told to stop, a call waits a moment for what it has just written, takes back what it did, and is over. */
export const STOP_BUDGET_MS = ROLLBACK_BUDGET_MS + 2_000;
/** How long the runtime may take to hand over the configuration. */
export const STDIN_BUDGET_MS = 10_000;
