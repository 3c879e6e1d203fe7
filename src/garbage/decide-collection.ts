/**
 * What a GC writes for a few containers: their endpoints and addresses go, in one transaction. A pure function of what
 * has been read once more: what is not as it was when it was found to be garbage stays.
 */

import type { IpAddress } from '../base/ip-address.ts';
import type { Stored } from '../base/revision.ts';
import { ipamFacts, ipamRanges, ipamTransaction, lookRanges } from '../datastore/ipam-records.ts';
import { commitOrDone, type Decision } from '../datastore/settle.ts';
import type { Range } from '../datastore/store.ts';
import { joinTransactions } from '../datastore/transactions.ts';
import type { View } from '../datastore/view.ts';
import { knownEndpoints, workloadRanges, workloadTransaction } from '../datastore/workload-records.ts';
import { planCollection } from '../ipam/plan-collection.ts';
import type { WorkloadEndpoint } from '../workload/workload-endpoint.ts';
import type { Leak } from './leak.ts';
import { workloadsOf } from './remains.ts';

export interface CollectionInputs {
  readonly leaks: readonly Leak[];
  readonly nodeName: string;
  readonly nowNs: bigint;
}

export interface CollectionOutcome {
  readonly released: readonly IpAddress[];
  readonly endpoints: readonly WorkloadEndpoint[];
  /** Endpoints beside these, of workloads that could have the same interfaces. */
  readonly others: readonly WorkloadEndpoint[];
}

/** What must be read for the decision. */
export function collectionRanges({ leaks, nodeName }: CollectionInputs): readonly Range[] {
  const handleIds = new Set(leaks.flatMap(({ allocations }) => allocations.map(({ handleId }) => handleId)));
  const workloads = leaks.flatMap((leak) => workloadsOf(leak, nodeName));
  const ranges = [
    ...ipamRanges({ nodeName, handleIds: [...handleIds] }),
    ...workloads.flatMap((ids) => workloadRanges(ids)),
  ];
  return [...new Map(ranges.map((range) => [JSON.stringify(range), range])).values()];
}

export function decideCollection(
  { leaks, nodeName, nowNs }: CollectionInputs,
  view: View,
  warn: (text: string) => void,
): Decision<CollectionOutcome> {
  const allocations = leaks.flatMap((leak) => leak.allocations);
  const plan = planCollection({ nodeName, nowNs, allocations }, ipamFacts(view, { nodeName }, warn));
  if (plan.outcome === 'look') return { step: 'look', ranges: lookRanges(plan.look) };
  const known = knownEndpoints(view, warn);
  const going = known.filter((endpoint) => isGarbage(endpoint, leaks));
  const transaction = joinTransactions(
    ipamTransaction(plan.changes),
    workloadTransaction(
      going.map(({ value: { namespace, name }, revision }) => ({
        record: 'endpoint',
        namespace,
        name,
        from: revision,
        to: undefined,
      })),
    ),
  );
  return commitOrDone(transaction, {
    released: plan.released,
    endpoints: going.map(({ value }) => value),
    others: known.filter((endpoint) => !going.includes(endpoint)).map(({ value }) => value),
  });
}

/** Another sandbox of the pod may have made the endpoint its own meanwhile. */
function isGarbage({ value }: Stored<WorkloadEndpoint>, leaks: readonly Leak[]): boolean {
  return leaks.some(
    ({ containerId, endpoints }) =>
      value.containerId === containerId &&
      endpoints.some(({ namespace, name }) => namespace === value.namespace && name === value.name),
  );
}
