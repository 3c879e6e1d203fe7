/**
 * Which containers of this node are gone, so far as it can be told at one moment: kernel, runtime and workload endpoint
 * must all say so. A pure function of what has been read. In doubt a container lives.
 */

import { formatIpAddress } from '../../base/ip-address.ts';
import { parseGoTime, parseRfc3339 } from '../../base/time.ts';
import { type HandleOwner, handleOwner } from '../../garbage/handle-owner.ts';
import { holderKind } from '../../garbage/holder-kind.ts';
import type { Leak } from '../../garbage/leak.ts';
import { interfaceNamesOf, type Naming } from '../../garbage/remains.ts';
import { addressOfAllocation, type SeenAllocation } from '../../ipam/plan-collection.ts';
import type { WorkloadEndpoint } from '../../workload/workload-endpoint.ts';

/**
 * - `alive`: the runtime has it
 * - `gone`: the runtime remembers it, and its network namespace is gone
 * - `unknown`: the runtime has never heard of it, or has forgotten it
 */
export type SandboxState = 'alive' | 'gone' | 'unknown';

export interface ContainerFacts {
  /** Of all blocks that this node has addresses in. */
  readonly allocations: readonly SeenAllocation[];
  /** All of this node. */
  readonly endpoints: readonly WorkloadEndpoint[];
  /** Names of the host's interfaces. */
  readonly interfaces: ReadonlySet<string>;
  /** Addresses that the host has a route of their own to, over an interface. */
  readonly routed: ReadonlySet<string>;
  readonly sandboxOf: (containerId: string) => SandboxState;
}

export interface ContainerScope {
  readonly naming: Naming;
  /** Nanoseconds since the epoch: what was made later may be being made. */
  readonly madeBeforeNs: bigint;
}

/** An address that seems to be nobody's and stays all the same, and why. */
export interface Held {
  readonly handleId: string;
  readonly addresses: readonly string[];
  readonly why: string;
}

export interface ContainerJudgement {
  readonly leaks: readonly Leak[];
  readonly held: readonly Held[];
}

export function judgeContainers(scope: ContainerScope, facts: ContainerFacts): ContainerJudgement {
  const own = facts.allocations.filter(({ owner }) => owner.node === scope.naming.nodeName);
  const containers = own.filter((allocation) => holderKind(allocation) === 'container');
  const byHandle = Map.groupBy(containers, ({ handleId }) => handleId);
  const suspects = [...byHandle].map(([handleId, allocations]) => suspectOf(handleId, allocations, facts));
  const wired = new Set(
    suspects.filter(({ endpoints }) => endpoints.length > 0).flatMap(({ owner }) => owner?.network ?? []),
  );
  const judged = suspects.map((suspect) => ({ suspect, verdict: judge(scope, facts, wired, suspect) }));
  return {
    leaks: judged.flatMap(({ verdict }) => (typeof verdict === 'object' ? [verdict] : [])),
    held: judged.flatMap(({ suspect: { handleId, addresses }, verdict }) =>
      typeof verdict === 'string' && verdict !== LIVES ? [{ handleId, addresses, why: verdict }] : [],
    ),
  };
}

/** All addresses of one handle. */
interface Suspect {
  readonly handleId: string;
  readonly allocations: readonly SeenAllocation[];
  readonly addresses: readonly string[];
  /** `undefined`: it cannot be told. */
  readonly owner: HandleOwner | undefined;
  /** Made for this very container. */
  readonly endpoints: readonly WorkloadEndpoint[];
  /** Of others that have one of the addresses, or are the same pod's. */
  readonly others: readonly WorkloadEndpoint[];
}

function suspectOf(
  handleId: string,
  allocations: readonly SeenAllocation[],
  { endpoints }: ContainerFacts,
): Suspect {
  const addresses = allocations.map((allocation) => formatIpAddress(addressOfAllocation(allocation)));
  const having = endpoints.filter((endpoint) => addressesOf(endpoint).some((one) => addresses.includes(one)));
  const ids = having.flatMap(({ containerId }) => containerId || []);
  const { network, pod, namespace } = allocations[0]?.owner ?? {};
  const isLegacy = pod !== undefined && handleId === `${namespace}.${pod}`;
  const evidence = { network, containerId: ids.find((id) => handleId.endsWith(`.${id}`)) };
  const owner = isLegacy ? undefined : handleOwner(handleId, evidence);
  const own = endpoints.filter(({ containerId }) => owner !== undefined && containerId === owner.containerId);
  const isOfPod = (endpoint: WorkloadEndpoint) =>
    pod !== undefined && endpoint.podName === pod && endpoint.namespace === namespace;
  const others = endpoints.filter(
    (endpoint) => !own.includes(endpoint) && (having.includes(endpoint) || isOfPod(endpoint)),
  );
  return { handleId, allocations, addresses, owner, endpoints: own, others };
}

const LIVES = 'lives';

/** Why it stays; {@link LIVES} when nothing at all is wrong with it. */
function judge(
  { naming, madeBeforeNs }: ContainerScope,
  facts: ContainerFacts,
  wired: ReadonlySet<string>,
  suspect: Suspect,
): Leak | string {
  const { allocations, addresses, owner, endpoints, others } = suspect;
  if (allocations.some(({ owner: { timestamp = '' } }) => isYoung(parseGoTime(timestamp), madeBeforeNs)))
    return LIVES;
  if (endpoints.some((endpoint) => isYoung(parseRfc3339(endpoint.creationTimestamp), madeBeforeNs)))
    return LIVES;
  if (owner === undefined) return 'its handle does not tell the network from the container';
  const { containerId, network } = owner;
  const leak: Leak = { containerId, allocations, endpoints };
  const isOnHost =
    addresses.some((address) => facts.routed.has(address)) ||
    interfaceNamesOf(leak, naming).some((name) => facts.interfaces.has(name));
  if (isOnHost && others.length === 0) return LIVES;
  const [other] = others;
  if (other !== undefined)
    return `endpoint ${other.namespace}/${other.name} has the address, or is its pod's`;
  const sandbox = facts.sandboxOf(containerId);
  // Without an endpoint another plugin has wired it, in its own way.
  if (sandbox === 'alive')
    return endpoints.length === 0 ? LIVES : 'the runtime has its sandbox, which has no interface on the host';
  return objectionOfEndpoints(suspect) ?? objectionOfNetwork(endpoints, sandbox, wired, network) ?? leak;
}

function objectionOfEndpoints({ allocations, addresses, endpoints }: Suspect): string | undefined {
  for (const endpoint of endpoints) {
    const { namespace, name, orchestrator } = endpoint;
    const which = `endpoint ${namespace}/${name}`;
    if (orchestrator !== 'cni' || allocations.some(({ owner }) => owner.pod !== undefined))
      return `${which} is there, and pods of an orchestrator are its own to remove`;
    if (!addressesOf(endpoint).every((address) => addresses.includes(address)))
      return `${which} has other addresses as well`;
  }
  return undefined;
}

/** As with `bridge` and calico-ipam: such containers have neither endpoints nor interfaces that could be known by name. */
function objectionOfNetwork(
  endpoints: readonly WorkloadEndpoint[],
  sandbox: SandboxState,
  wired: ReadonlySet<string>,
  network: string,
): string | undefined {
  if (endpoints.length > 0 || sandbox === 'gone' || wired.has(network)) return undefined;
  return `no container of network ${network} has an endpoint on this node: another plugin may have wired it`;
}

function isYoung(madeNs: bigint | undefined, madeBeforeNs: bigint): boolean {
  return madeNs !== undefined && madeNs > madeBeforeNs;
}

function addressesOf({ ipNetworks }: WorkloadEndpoint): readonly string[] {
  return ipNetworks.map(({ address }) => formatIpAddress(address));
}

/** Of everything about it that must not change: what has another ID is looked at as something new. */
export function leakId({ containerId, allocations, endpoints }: Leak): string {
  const parts = allocations.map(({ handleId, sequenceNumber, owner, ...allocation }) =>
    [
      formatIpAddress(addressOfAllocation({ ...allocation, handleId, sequenceNumber, owner })),
      handleId,
      sequenceNumber,
      owner.timestamp,
    ].join(' '),
  );
  const names = endpoints.map(({ namespace, name, uid }) => `${namespace}/${name} ${uid}`);
  return [containerId, ...parts, ...names].join('|');
}
