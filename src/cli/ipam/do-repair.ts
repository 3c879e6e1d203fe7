/** Puts one thing right, if it still is wrong. */

import { isCalicoError } from '../../base/calico-error.ts';
import type { Deadline } from '../../base/deadline.ts';
import { ipamFacts, ipamRanges, ipamTransaction, lookRanges } from '../../datastore/ipam-records.ts';
import { type Decision, settle } from '../../datastore/settle.ts';
import type { Store } from '../../datastore/store.ts';
import { joinTransactions } from '../../datastore/transactions.ts';
import type { View } from '../../datastore/view.ts';
import { endpointGuards, endpointRanges, liveEndpoint } from '../../garbage/live-endpoint.ts';
import { handlesOfRepair, nodeOfRepair, planRepair } from '../../ipam/audit/plan-repair.ts';
import type { Repair } from '../../ipam/audit/repair.ts';
import type { CommandWorld } from '../command-world.ts';

export interface Repairing {
  readonly store: Store;
  readonly deadline: Deadline;
  readonly clock: CommandWorld['clock'];
  readonly random: () => number;
  /** Decide, and write nothing. */
  readonly isDryRun: boolean;
  readonly warn: (text: string) => void;
}

export interface RepairOutcome {
  readonly done: boolean;
  /** What was done, or why nothing. */
  readonly text: string;
}

/** A record that cannot be understood is left alone, and what it belongs to. Throws what the store throws. */
export async function doRepair(repair: Repair, repairing: Repairing): Promise<RepairOutcome> {
  const nodeName = nodeOfRepair(repair) || NO_NODE;
  try {
    return await settle({
      ...repairing,
      ranges: [
        ...ipamRanges({ nodeName, handleIds: handlesOfRepair(repair) }),
        ...(repair.record === 'address' ? endpointRanges(repair.seen) : []),
      ],
      decide: (view) => decideRepair(repair, nodeName, view, repairing),
    });
  } catch (error) {
    if (isCalicoError(error, 'corrupt', 'conflict', 'config')) return { done: false, text: error.message };
    throw error;
  }
}

/** No node has this name, so none of its records are found: the repair is about no node's. */
const NO_NODE = '-';

function decideRepair(
  repair: Repair,
  nodeName: string,
  view: View,
  { clock, isDryRun, warn }: Repairing,
): Decision<RepairOutcome> {
  const seen = repair.record === 'address' ? repair.seen : undefined;
  const inUse = seen && liveEndpoint(seen, view, warn);
  if (inUse !== undefined) return { step: 'done', outcome: { done: false, text: inUse } };
  const plan = planRepair(repair, ipamFacts(view, { nodeName }, warn), clock.nowNs());
  if (plan.outcome === 'look') return { step: 'look', ranges: lookRanges(plan.look) };
  if (plan.outcome === 'left alone') return { step: 'done', outcome: { done: false, text: plan.why } };
  const outcome = { done: true, text: plan.what };
  if (isDryRun) return { step: 'done', outcome };
  const guards = { expect: seen === undefined ? [] : endpointGuards(seen, view), write: [] };
  return { step: 'commit', transaction: joinTransactions(ipamTransaction(plan.changes), guards), outcome };
}
