/**
 * What is written for one container that was found to be gone: its addresses, handle and endpoint go in one transaction,
 * if everything still is as it was seen. Pure.
 */

import { formatIpAddress, type IpAddress } from '../../base/ip-address.ts';
import type { Decision } from '../../datastore/settle.ts';
import type { Range } from '../../datastore/store.ts';
import { joinTransactions } from '../../datastore/transactions.ts';
import type { View } from '../../datastore/view.ts';
import { knownEndpoints } from '../../datastore/workload-records.ts';
import { collectionRanges, decideCollection } from '../../garbage/decide-collection.ts';
import type { Leak } from '../../garbage/leak.ts';
import { endpointGuards, endpointRanges } from '../../garbage/live-endpoint.ts';
import { addressOfAllocation } from '../../ipam/plan-collection.ts';
import type { WorkloadEndpoint } from '../../workload/workload-endpoint.ts';

export interface LeakInputs {
  readonly leak: Leak;
  readonly nodeName: string;
  /** Wall clock, nanoseconds since the epoch. */
  readonly nowNs: bigint;
  /** Decide, and write nothing. */
  readonly isDryRun: boolean;
}

export type LeakOutcome =
  | {
      readonly isDone: true;
      readonly released: readonly IpAddress[];
      readonly endpoints: readonly WorkloadEndpoint[];
    }
  | { readonly isDone: false; readonly why: string };

/** What must be read for the decision. */
export function leakRanges(inputs: LeakInputs): readonly Range[] {
  const { leak } = inputs;
  const ranges = [
    ...collectionRanges({ ...inputs, leaks: [leak] }),
    ...leak.allocations.flatMap(endpointRanges),
  ];
  return [...new Map(ranges.map((range) => [JSON.stringify(range), range])).values()];
}

export function decideLeak(inputs: LeakInputs, view: View): Decision<LeakOutcome> {
  const { leak, isDryRun } = inputs;
  const warnings: string[] = [];
  const warn = (text: string) => void warnings.push(text);
  const stranger = knownEndpoints(view, warn).find(({ value }) => isOthers(value, leak));
  if (stranger !== undefined)
    return leave(`endpoint ${stranger.value.namespace}/${stranger.value.name} has come`);
  const [unreadable] = warnings;
  if (unreadable !== undefined) return leave(unreadable);
  const decision = decideCollection({ ...inputs, leaks: [leak] }, view, () => undefined);
  if (decision.step === 'look') return decision;
  const { released, endpoints } = decision.outcome;
  if (released.length < leak.allocations.length) return leave('something about it has changed meanwhile');
  const outcome: LeakOutcome = { isDone: true, released, endpoints };
  if (decision.step === 'done' || isDryRun) return { step: 'done', outcome };
  // Most are of one handle, and so of the same endpoints.
  const guards = new Map(
    leak.allocations.flatMap((seen) => endpointGuards(seen, view)).map((guard) => [guard.key, guard]),
  );
  const transaction = joinTransactions(decision.transaction, { expect: [...guards.values()], write: [] });
  return { step: 'commit', transaction, outcome };
}

/** It has what the leak has, and is not what was seen of the leak. */
function isOthers(endpoint: WorkloadEndpoint, { containerId, allocations, endpoints }: Leak): boolean {
  const isSeen = endpoints.some(
    ({ uid, name, namespace }) =>
      uid === endpoint.uid && name === endpoint.name && namespace === endpoint.namespace,
  );
  if (isSeen && endpoint.containerId === containerId) return false;
  const addresses = allocations.map((seen) => formatIpAddress(addressOfAllocation(seen)));
  const owner = allocations[0]?.owner;
  return (
    isSeen ||
    endpoint.containerId === containerId ||
    endpoint.ipNetworks.some(({ address }) => addresses.includes(formatIpAddress(address))) ||
    (owner?.pod !== undefined && owner.pod === endpoint.podName && owner.namespace === endpoint.namespace)
  );
}

function leave(why: string): Decision<LeakOutcome> {
  return { step: 'done', outcome: { isDone: false, why } };
}
