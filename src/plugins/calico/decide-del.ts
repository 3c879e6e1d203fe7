/**
 * What a DEL removes: the workload endpoint and every address of the handle, in one transaction. A pure function
 * of what has been read. A container nobody knows is success.
 */

import type { IpAddress } from '../../base/ip-address.ts';
import type { Stored } from '../../base/revision.ts';
import { encodeWorkloadEndpoint } from '../../datastore/codecs/workload-endpoint.ts';
import { ipamFacts, ipamTransaction, lookRanges } from '../../datastore/ipam-records.ts';
import { workloadEndpointKey } from '../../datastore/keys.ts';
import { commitOrDone, type Decision } from '../../datastore/settle.ts';
import type { Transaction } from '../../datastore/store.ts';
import { joinTransactions } from '../../datastore/transactions.ts';
import type { View } from '../../datastore/view.ts';
import { workloadFacts, workloadTransaction } from '../../datastore/workload-records.ts';
import type { IpamFacts } from '../../ipam/facts.ts';
import { planRelease, type ReleasePlan } from '../../ipam/plan-release.ts';
import type { WorkloadChange } from '../../workload/change.ts';
import type { WorkloadIdentifiers } from '../../workload/identifiers.ts';
import { isOfContainer, type WorkloadEndpoint } from '../../workload/workload-endpoint.ts';
import { requireReady } from '../require-ready.ts';
import type { BeforeAdd } from './decide-add.ts';
import { endpointElsewhere, unknownEndpoints } from './endpoint-elsewhere.ts';
import { pointOfReturn, withGuards } from './point-of-return.ts';

export interface DelInputs {
  readonly ids: WorkloadIdentifiers;
  /** Handles to release; none when another IPAM plugin holds the addresses. */
  readonly handleIds: readonly string[];
  readonly nowNs: bigint;
  /** Whether the endpoint's interface is still there, and not the one this DEL removes. */
  readonly isInUse: (hostIfName: string) => boolean;
  /** Whether the host has an interface of the name. */
  readonly isOnHost: (hostIfName: string) => boolean;
  /** What a failed ADD goes back to; `undefined`: the container is to have nothing. */
  readonly restore: BeforeAdd | undefined;
}

export interface DelOutcome {
  /** The endpoint that is taken away, if there is one. */
  readonly endpoint: WorkloadEndpoint | undefined;
  /** Its interface on the host, unless another container's endpoint names the same one. */
  readonly hostIfName: string | undefined;
  readonly released: readonly IpAddress[];
}

export function decideDel(inputs: DelInputs, view: View, warn: (text: string) => void): Decision<DelOutcome> {
  const { datastoreReady, endpoint: named, similar } = workloadFacts(view, inputs.ids, warn);
  requireReady(datastoreReady);
  const found = named ?? endpointElsewhere(view, inputs.ids, warn);
  const ours = found !== undefined && isThisAttachment(inputs, found.value) ? found : undefined;
  // The interface of another attachment of this container lives on with the addresses of the same handle.
  const kept =
    found !== undefined && ours === undefined ? found.value.ipNetworks.map(({ address }) => address) : [];
  const known = ours?.value.ipNetworks.map(({ address }) => address) ?? [];
  const facts = ipamFacts(view, inputs.ids, warn);
  const target = pointOfReturn(inputs, facts);
  if (target.outcome === 'look') return { step: 'look', ranges: lookRanges(target.look) };
  const { restore, guards } = target;
  const plan = release({ ...inputs, restore }, { kept, known }, facts);
  if (plan.outcome === 'look') return { step: 'look', ranges: lookRanges(plan.look) };
  if (found === undefined && plan.released.length > 0) {
    const ranges = unknownEndpoints(view, inputs.ids.nodeName);
    if (ranges.length > 0) return { step: 'look', ranges };
  }

  const transaction = joinTransactions(
    ipamTransaction(withGuards(plan.changes, guards)),
    workloadTransaction(endpointChange(ours, restore?.endpoint)),
    guardForeign(ours === undefined ? found : undefined),
  );
  const hostIfName = ours?.value.interfaceName || undefined;
  return commitOrDone(transaction, {
    endpoint: ours?.value,
    hostIfName: similar.some(({ interfaceName }) => interfaceName === hostIfName) ? undefined : hostIfName,
    released: plan.released,
  });
}

/**
 * An endpoint of a newer sandbox of the same pod is not ours. One of another interface of this container is not,
 * either, while that interface lives; when it is gone its own DEL may never come, so this one cleans up.
 */
function isThisAttachment({ ids, isInUse }: DelInputs, endpoint: WorkloadEndpoint): boolean {
  if (!isOfContainer(endpoint, ids.containerId)) return false;
  return endpoint.endpoint === ids.ifName || !isInUse(endpoint.interfaceName);
}

function release(
  { ids: { nodeName }, handleIds, nowNs, restore }: DelInputs,
  { kept, known }: { readonly kept: readonly IpAddress[]; readonly known: readonly IpAddress[] },
  facts: IpamFacts,
): ReleasePlan {
  if (handleIds.length === 0) return { outcome: 'released', changes: [], released: [] };
  const keep = [...(restore?.held ?? []), ...kept];
  const giveBack = restore?.takenOver ?? [];
  return planRelease({ handleIds, nodeName, nowNs, keep, known, giveBack }, facts);
}

/** It was left alone because it is another sandbox's; should that one's ADD fail meanwhile, it is this one's again. */
function guardForeign(stored: Stored<WorkloadEndpoint> | undefined): Transaction {
  if (stored === undefined) return { expect: [], write: [] };
  const { namespace, name } = stored.value;
  return { expect: [{ key: workloadEndpointKey(namespace, name), revision: stored.revision }], write: [] };
}

function endpointChange(
  stored: Stored<WorkloadEndpoint> | undefined,
  restore: WorkloadEndpoint | undefined,
): readonly WorkloadChange[] {
  if (stored === undefined) return [];
  const { namespace, name } = stored.value;
  const to = restore && restoredOnto(stored.value, restore);
  if (to !== undefined && encodeWorkloadEndpoint(to) === encodeWorkloadEndpoint(stored.value)) return [];
  return [{ record: 'endpoint', namespace, name, from: stored.revision, to }];
}

/** Only what is the sandbox's goes back: the rest is the pod's, or others may have changed it meanwhile. */
function restoredOnto(current: WorkloadEndpoint, before: WorkloadEndpoint): WorkloadEndpoint {
  const { containerId, ipNetworks, ipNats, profiles, interfaceName, mac } = before;
  return { ...current, containerId, ipNetworks, ipNats, profiles, interfaceName, mac };
}
