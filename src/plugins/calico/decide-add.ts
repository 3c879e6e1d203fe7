/**
 * What an ADD writes: the addresses' block, handle and affinity, the workload endpoint and the profile, in one
 * transaction. A pure function of what has been read, run again whenever another writer was faster. An ADD whose
 * records are all there already writes nothing.
 */

import type { IpNetwork } from '../../base/cidr.ts';
import type { IpAddress } from '../../base/ip-address.ts';
import { type MacAddress, parseMacAddress } from '../../base/mac-address.ts';
import { ABSENT, type Stored } from '../../base/revision.ts';
import { formatRfc3339 } from '../../base/time.ts';
import { encodeWorkloadEndpoint } from '../../datastore/codecs/workload-endpoint.ts';
import { ipamTransaction, lookRanges } from '../../datastore/ipam-records.ts';
import { commitOrDone, type Decision } from '../../datastore/settle.ts';
import { joinTransactions } from '../../datastore/transactions.ts';
import type { View } from '../../datastore/view.ts';
import { type WorkloadFacts, workloadFacts, workloadTransaction } from '../../datastore/workload-records.ts';
import type { Predecessor, TakenOver } from '../../ipam/facts.ts';
import type { AssignmentPlan } from '../../ipam/plan-assignment.ts';
import { buildEndpoint } from '../../workload/build-endpoint.ts';
import type { WorkloadChange } from '../../workload/change.ts';
import type { WorkloadIdentifiers } from '../../workload/identifiers.ts';
import { isOfContainer, type WorkloadEndpoint } from '../../workload/workload-endpoint.ts';
import { handleIdsOf } from '../handle-id.ts';
import { planOwnAllocation } from '../own-allocation.ts';
import type { AddressSource } from './address-source.ts';
import type { AskedEndpoint } from './asked-endpoint.ts';
import { type Attachment, checkAttachment } from './attachment.ts';
import type { ClaimedLinks } from './claim-links.ts';

export interface AddInputs extends Attachment, AskedEndpoint {
  readonly source: AddressSource;
  /** For a new interface; one that exists keeps its own. */
  readonly freshMac: MacAddress;
  readonly endpointUid: string;
  readonly profileUid: string;
  readonly nowNs: bigint;
  /** What there was when this very call last tried to write, if it has. */
  readonly attempted?: BeforeAdd | undefined;
}

export interface AddOutcome {
  readonly endpoint: WorkloadEndpoint;
  /** As IPAM gave them: an automatic address carries the mask of its block. */
  readonly addresses: readonly IpNetwork[];
  readonly mac: MacAddress;
  readonly links: ClaimedLinks;
  readonly notes: readonly string[];
  /** What to go back to if wiring fails. */
  readonly before: BeforeAdd;
}

export interface BeforeAdd {
  /** `undefined`: there was none. */
  readonly endpoint: WorkloadEndpoint | undefined;
  /** Addresses the container had. */
  readonly held: readonly IpAddress[];
  /** The sandbox of the same pod that the endpoint was made for, if it was another. */
  readonly predecessor: Predecessor | undefined;
  /** Addresses that were taken over from it. */
  readonly takenOver: readonly TakenOver[];
}

export function decideAdd(inputs: AddInputs, view: View, warn: (text: string) => void): Decision<AddOutcome> {
  const facts = workloadFacts(view, inputs.ids, warn, inputs.ownProfile);
  const links = checkAttachment(inputs, facts);
  const predecessor = predecessorOf(inputs, facts.endpoint?.value);
  const plan = assign(inputs, predecessor, view, warn);
  if (plan.outcome === 'look') return { step: 'look', ranges: lookRanges(plan.look) };

  const mac = inputs.wantedMac ?? recordedMac(inputs.ids, facts.endpoint?.value) ?? inputs.freshMac;
  const endpoint = endpointFor(inputs, plan.addresses, mac, links, facts.endpoint?.value);
  const transaction = joinTransactions(
    ipamTransaction(plan.changes),
    workloadTransaction([...endpointChange(endpoint, facts.endpoint), ...profileChange(inputs, facts)]),
  );
  const { held, takenOver } = plan;
  const before = stateBefore(inputs, { endpoint: facts.endpoint?.value, held, predecessor, takenOver });
  return commitOrDone(transaction, {
    endpoint,
    addresses: plan.addresses,
    mac,
    links,
    notes: plan.notes,
    before,
  });
}

/**
 * A commit may have been applied although its answer was lost. Nobody else writes this container's endpoint meanwhile, so
 * when there is one after a try, what was before that try is what was before the ADD.
 */
function stateBefore({ ids, attempted }: AddInputs, now: BeforeAdd): BeforeAdd {
  const isOwn = now.endpoint !== undefined && isOfContainer(now.endpoint, ids.containerId);
  return attempted !== undefined && isOwn ? attempted : now;
}

/** An endpoint of old data may not name its container. A delegate's addresses are not under handles of ours. */
function predecessorOf(
  { ids, source }: AddInputs,
  endpoint: WorkloadEndpoint | undefined,
): Predecessor | undefined {
  if (endpoint === undefined || source.from !== 'allocator') return undefined;
  const { containerId = ids.containerId, ipNetworks } = endpoint;
  if (endpoint.containerId === ids.containerId) return undefined;
  return {
    handleIds: handleIdsOf(source.allocation.networkName, { ...ids, containerId }),
    addresses: ipNetworks.map(({ address }) => address),
  };
}

function assign(
  { source }: AddInputs,
  predecessor: Predecessor | undefined,
  view: View,
  warn: (text: string) => void,
): AssignmentPlan {
  if (source.from === 'allocator') return planOwnAllocation(source.allocation, view, warn, predecessor);
  const { addresses } = source;
  return { outcome: 'assigned', addresses, held: [], takenOver: [], changes: [], notes: [] };
}

/** A repeated ADD must not change the MAC of an interface that may be in use. */
function recordedMac(
  ids: WorkloadIdentifiers,
  endpoint: WorkloadEndpoint | undefined,
): MacAddress | undefined {
  if (endpoint?.mac === undefined || !isOfContainer(endpoint, ids.containerId)) return undefined;
  try {
    return parseMacAddress(endpoint.mac);
  } catch {
    return undefined;
  }
}

function endpointFor(
  inputs: AddInputs,
  addresses: readonly IpNetwork[],
  mac: MacAddress,
  links: ClaimedLinks,
  existing: WorkloadEndpoint | undefined,
): WorkloadEndpoint {
  return buildEndpoint(
    {
      ids: inputs.ids,
      addresses: addresses.map(({ address }) => address),
      profiles: inputs.profiles,
      hostIfName: links.hostIfName,
      mac,
      labels: inputs.labels,
      settings: inputs.settings,
      uid: inputs.endpointUid,
      creationTimestamp: formatRfc3339(inputs.nowNs),
    },
    existing,
  );
}

function endpointChange(
  endpoint: WorkloadEndpoint,
  stored: Stored<WorkloadEndpoint> | undefined,
): readonly WorkloadChange[] {
  if (stored !== undefined && encodeWorkloadEndpoint(stored.value) === encodeWorkloadEndpoint(endpoint))
    return [];
  const { namespace, name } = endpoint;
  return [{ record: 'endpoint', namespace, name, from: stored?.revision ?? ABSENT, to: endpoint }];
}

/** Created once; operators change it, so one that exists is left alone. */
function profileChange(inputs: AddInputs, facts: WorkloadFacts): readonly WorkloadChange[] {
  if (inputs.ownProfile === undefined || facts.profileExists) return [];
  const profile = {
    name: inputs.ownProfile,
    uid: inputs.profileUid,
    creationTimestamp: formatRfc3339(inputs.nowNs),
    ingressFromSameNetworkOnly: inputs.ids.orchestrator !== 'k8s',
  };
  return [{ record: 'profile', to: profile }];
}
