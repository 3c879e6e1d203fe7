/**
 * What a DEL removes: the workload endpoint and every address of the handle, in one transaction. A pure function
 * of what has been read. A container nobody knows is success.
 */

import type { IpAddress } from '../../base/ip-address.ts';
import type { Stored } from '../../base/revision.ts';
import { ipamFacts, ipamTransaction, lookRanges } from '../../datastore/ipam-records.ts';
import type { Decision } from '../../datastore/settle.ts';
import { isEmptyTransaction, joinTransactions } from '../../datastore/transactions.ts';
import type { View } from '../../datastore/view.ts';
import { workloadFacts, workloadTransaction } from '../../datastore/workload-records.ts';
import { planRelease, type ReleasePlan } from '../../ipam/plan-release.ts';
import type { WorkloadChange } from '../../workload/change.ts';
import type { WorkloadIdentifiers } from '../../workload/identifiers.ts';
import type { WorkloadEndpoint } from '../../workload/workload-endpoint.ts';
import { requireReady } from '../require-ready.ts';

export interface DelInputs {
  readonly ids: WorkloadIdentifiers;
  /** Handles to release; none when another IPAM plugin holds the addresses. */
  readonly handleIds: readonly string[];
  readonly nowNs: bigint;
  /** What the endpoint becomes: gone, or after a failed ADD what it was before. */
  readonly restore: WorkloadEndpoint | undefined;
}

export interface DelOutcome {
  /** The endpoint that was found, if it is this container's. */
  readonly endpoint: WorkloadEndpoint | undefined;
  readonly released: readonly IpAddress[];
}

export function decideDel(inputs: DelInputs, view: View, warn: (text: string) => void): Decision<DelOutcome> {
  const { datastoreReady, endpoint: found } = workloadFacts(view, inputs.ids);
  requireReady(datastoreReady);
  const endpoint = found?.value.containerId === inputs.ids.containerId ? found : undefined;
  const plan = release(inputs, view, warn);
  if (plan.outcome === 'look') return { step: 'look', ranges: lookRanges(plan.look) };

  const transaction = joinTransactions(
    ipamTransaction(plan.changes),
    workloadTransaction(endpointChange(endpoint, inputs.restore)),
  );
  const outcome: DelOutcome = { endpoint: endpoint?.value, released: plan.released };
  return isEmptyTransaction(transaction)
    ? { step: 'done', outcome }
    : { step: 'commit', transaction, outcome };
}

function release(
  { ids, handleIds, nowNs }: DelInputs,
  view: View,
  warn: (text: string) => void,
): ReleasePlan {
  if (handleIds.length === 0) return { outcome: 'released', changes: [], released: [] };
  const { nodeName } = ids;
  return planRelease({ handleIds, nodeName, nowNs }, ipamFacts(view, { nodeName, handleIds }, warn));
}

function endpointChange(
  stored: Stored<WorkloadEndpoint> | undefined,
  restore: WorkloadEndpoint | undefined,
): readonly WorkloadChange[] {
  if (stored === undefined) return [];
  const { namespace, name } = stored.value;
  return [{ record: 'endpoint', namespace, name, from: stored.revision, to: restore }];
}
