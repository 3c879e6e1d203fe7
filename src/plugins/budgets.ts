/**
 * How long a call may take, in milliseconds. Kubelet gives a sandbox two minutes; a plugin that fails sooner, and
 * says why, is tried again sooner.
 */
export const ADD_BUDGET_MS = 30_000;
export const DEL_BUDGET_MS = 30_000;
/** How long a call waits for its turn on the node, before its own budget goes on: after that it works without. */
export const LOCK_BUDGET_MS = 15_000;
/** Taking back what a failed ADD did has time of its own: the ADD's is often what ran out. */
export const ROLLBACK_BUDGET_MS = 10_000;
