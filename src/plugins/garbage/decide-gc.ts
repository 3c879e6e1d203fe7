/**
 * What a GC collects: records of this network's containers on this node that the runtime does not know any more. A pure
 * function of what has been read. In doubt a record stays, and the log says why: it can be collected later, while an
 * address that is taken from a running pod is soon somebody else's.
 */

import { formatIpAddress } from '../../base/ip-address.ts';
import { parseGoTime, parseRfc3339 } from '../../base/time.ts';
import { type HandleOwner, handleOwner } from '../../garbage/handle-owner.ts';
import type { Leak } from '../../garbage/leak.ts';
import type { AllocationBlock } from '../../ipam/allocation-block.ts';
import { addressOfAllocation, allocationsOf, type SeenAllocation } from '../../ipam/plan-collection.ts';
import type { WorkloadEndpoint } from '../../workload/workload-endpoint.ts';

export interface GcScope {
  readonly network: string;
  readonly nodeName: string;
  /** IDs of the containers that live. Which interface is no matter: those of a container share handle and endpoint. */
  readonly liveContainers: ReadonlySet<string>;
  /** Nanoseconds since the epoch: what was made later stays. `undefined`: however new it is. */
  readonly madeBeforeNs: bigint | undefined;
}

export interface GcFacts {
  readonly blocks: readonly AllocationBlock[];
  readonly endpoints: readonly WorkloadEndpoint[];
}

export interface GcDecision {
  readonly leaks: readonly Leak[];
  /** Endpoints of the node that stay. */
  readonly surviving: readonly WorkloadEndpoint[];
  /** What could be this network's garbage and stays, and why. */
  readonly notes: readonly string[];
}

export function decideGc(scope: GcScope, facts: GcFacts): GcDecision {
  const endpoints = facts.endpoints.filter(({ nodeName }) => nodeName === scope.nodeName);
  const allocations = ownedAllocations(scope, facts.blocks, endpoints);
  const judged = [
    ...allocations.map((owned) => judgeAllocation(scope, owned)),
    ...endpoints.map((endpoint) => judgeEndpoint(scope, endpoint, allocations)),
  ];
  const spared = new Set(judged.flatMap((one) => (one.verdict === 'young' ? [one.containerId] : [])));
  const garbage = judged
    .filter((one) => one.verdict === 'garbage')
    .filter(({ containerId }) => !spared.has(containerId));
  const leaks = Map.groupBy(garbage, ({ containerId }) => containerId)
    .entries()
    .map(([containerId, parts]) => leakOf(containerId, parts))
    .toArray();
  const collected = new Set(leaks.flatMap((leak) => leak.endpoints));
  return {
    leaks,
    surviving: endpoints.filter((endpoint) => !collected.has(endpoint)),
    notes: judged.flatMap((one) => (one.verdict === 'garbage' ? [] : (one.note ?? []))),
  };
}

/** An address in use on the node. */
interface OwnedAllocation {
  readonly allocation: SeenAllocation;
  readonly address: string;
  /** `undefined`: it cannot be told. */
  readonly owner: HandleOwner | undefined;
  /** Endpoints that have the address. */
  readonly endpoints: readonly WorkloadEndpoint[];
}

type Judgement =
  | { readonly verdict: 'garbage'; readonly containerId: string; readonly part: Partial<Leak> }
  /** Whatever else there is of its container stays as well. */
  | { readonly verdict: 'young'; readonly containerId: string; readonly note: string }
  | { readonly verdict: 'stays'; readonly note?: string };

const STAYS: Judgement = { verdict: 'stays' };

function ownedAllocations(
  { nodeName }: GcScope,
  blocks: readonly AllocationBlock[],
  endpoints: readonly WorkloadEndpoint[],
): readonly OwnedAllocation[] {
  const byAddress = Map.groupBy(
    endpoints.flatMap((endpoint) => addressesOf(endpoint).map((address) => ({ address, endpoint }))),
    ({ address }) => address,
  );
  return blocks
    .flatMap(allocationsOf)
    .filter(({ owner }) => owner.node === nodeName)
    .map((allocation) => {
      const address = formatIpAddress(addressOfAllocation(allocation));
      const having = (byAddress.get(address) ?? []).map(({ endpoint }) => endpoint);
      return { allocation, address, owner: ownerOf(allocation, having), endpoints: having };
    });
}

function ownerOf(
  { handleId, owner }: SeenAllocation,
  endpoints: readonly WorkloadEndpoint[],
): HandleOwner | undefined {
  if (isOfOtherKind(handleId, owner)) return undefined;
  const ids = endpoints.flatMap(({ containerId }) => containerId || []);
  const containerId = ids.find((id) => handleId.endsWith(`.${id}`));
  return handleOwner(handleId, { network: owner.network, containerId });
}

/** Addresses of tunnels have a type, those of plugins before 2018 are under the pod's name. */
function isOfOtherKind(handleId: string, { type, namespace, pod }: SeenAllocation['owner']): boolean {
  return type !== undefined || (pod !== undefined && handleId === `${namespace}.${pod}`);
}

function judgeAllocation(scope: GcScope, owned: OwnedAllocation): Judgement {
  const { allocation, address, owner } = owned;
  const { handleId } = allocation;
  const leave = (why: string) => `left ${address} of handle ${JSON.stringify(handleId)} alone: ${why}`;
  if (isVirtualMachine(scope, handleId) || !handleId.startsWith(`${scope.network}.`)) return STAYS;
  if (owner === undefined) {
    if (isOfOtherKind(handleId, allocation.owner)) return STAYS;
    return { verdict: 'stays', note: leave('the handle does not tell the network from the container ID') };
  }
  const { network, containerId } = owner;
  if (network !== scope.network || scope.liveContainers.has(containerId)) return STAYS;
  const user = owned.endpoints.find((endpoint) => scope.liveContainers.has(endpoint.containerId ?? ''));
  if (user !== undefined) {
    return {
      verdict: 'stays',
      note: leave(`it is an address of ${user.namespace}/${user.name}, which lives`),
    };
  }
  if (isYoung(scope, parseGoTime(allocation.owner.timestamp ?? ''))) {
    return { verdict: 'young', containerId, note: leave('it is younger than gc_grace_seconds') };
  }
  return { verdict: 'garbage', containerId, part: { allocations: [allocation] } };
}

/** `<network>.vmi.<namespace>.<name>`: the address of a virtual machine outlives its pods. */
function isVirtualMachine({ network }: GcScope, handleId: string): boolean {
  return handleId.startsWith(`${network}.vmi.`);
}

const ORCHESTRATORS = ['k8s', 'cni'];

function judgeEndpoint(
  scope: GcScope,
  endpoint: WorkloadEndpoint,
  allocations: readonly OwnedAllocation[],
): Judgement {
  const { containerId, orchestrator, namespace, name, creationTimestamp } = endpoint;
  if (!containerId || !ORCHESTRATORS.includes(orchestrator)) return STAYS;
  if (scope.liveContainers.has(containerId)) return STAYS;
  const leave = (why: string) => `left endpoint ${namespace}/${name} alone: ${why}`;
  const network = networkOf(endpoint, allocations);
  if (network === undefined)
    return { verdict: 'stays', note: leave('nothing tells the network it belongs to') };
  if (network !== scope.network) return STAYS;
  if (isYoung(scope, parseRfc3339(creationTimestamp))) {
    return { verdict: 'young', containerId, note: leave('it is younger than gc_grace_seconds') };
  }
  return { verdict: 'garbage', containerId, part: { endpoints: [endpoint] } };
}

/** By the handle that holds one of its addresses for its container, else by its only profile, which has the network's name. */
function networkOf(endpoint: WorkloadEndpoint, allocations: readonly OwnedAllocation[]): string | undefined {
  const own = allocations.find(
    ({ owner, endpoints }) =>
      owner !== undefined && owner.containerId === endpoint.containerId && endpoints.includes(endpoint),
  );
  if (own?.owner !== undefined) return own.owner.network;
  const [profile, another] = endpoint.profiles;
  return another === undefined && !isOfKubernetes(endpoint) ? profile : undefined;
}

/** With policy of Kubernetes the profiles are the namespace's and the service account's. */
function isOfKubernetes({ namespace, profiles }: WorkloadEndpoint): boolean {
  return profiles.includes(`kns.${namespace}`);
}

/** What has no time is old: versions that wrote none are. */
function isYoung({ madeBeforeNs }: GcScope, madeNs: bigint | undefined): boolean {
  return madeBeforeNs !== undefined && madeNs !== undefined && madeNs > madeBeforeNs;
}

function addressesOf({ ipNetworks }: WorkloadEndpoint): readonly string[] {
  return ipNetworks.map(({ address }) => formatIpAddress(address));
}

function leakOf(containerId: string, garbage: readonly { readonly part: Partial<Leak> }[]): Leak {
  return {
    containerId,
    allocations: garbage.flatMap(({ part }) => part.allocations ?? []),
    endpoints: garbage.flatMap(({ part }) => part.endpoints ?? []),
  };
}
