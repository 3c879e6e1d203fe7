/**
 * Which interfaces of the names an ADD needs are there already, and whether they are its own to replace. Decided
 * before anything is changed: an interface that is somebody else's is an error, never deleted by its name. Pure.
 */

import { CalicoError } from '../../base/calico-error.ts';
import type { Link } from '../../network/netlink/link.ts';
import { isPodLink } from '../../network/pod-link.ts';
import type { WorkloadIdentifiers } from '../../workload/identifiers.ts';
import type { WorkloadEndpoint } from '../../workload/workload-endpoint.ts';

/** Links seen before the datastore was read. */
export interface SeenLinks {
  /** The one in the sandbox that has the name of CNI_IFNAME. */
  readonly container: Link | undefined;
  /** Those on the host that have one of the names the host end may get. */
  readonly host: readonly SeenHostLink[];
}

export interface SeenHostLink {
  readonly link: Link;
  /** Whether it and the one in the sandbox are the ends of one pair. */
  readonly isOtherEnd: boolean;
}

/** The names a host end may get: the usual one, and the one for when that is taken. */
export interface HostIfNames {
  readonly usual: string;
  readonly alternative: string;
}

export interface ClaimedLinks {
  readonly hostIfName: string;
  /** Interfaces that go, by index: another interface that got the name meanwhile is not them. */
  readonly replace: { readonly hostIfIndex?: number; readonly containerIfIndex?: number };
}

export interface ClaimInputs {
  readonly ids: WorkloadIdentifiers;
  readonly netnsPath: string;
  readonly names: HostIfNames;
  readonly seen: SeenLinks;
  /** This workload's endpoint, if it has one. */
  readonly endpoint: WorkloadEndpoint | undefined;
  /** Endpoints of other containers of this node. */
  readonly similar: readonly WorkloadEndpoint[];
}

/** Throws `network` when the name in the sandbox, or both names on the host, belong to something else. */
export function claimLinks(inputs: ClaimInputs): ClaimedLinks {
  const hostIfName = chooseName(inputs);
  const hostEnd = seenAs(inputs, hostIfName);
  const { container } = inputs.seen;
  if (container !== undefined && !isOurs(container, hostEnd, inputs.endpoint)) {
    throw new CalicoError(
      'network',
      `interface ${inputs.ids.ifName} already exists in ${inputs.netnsPath} and is not one this plugin made for container ${inputs.ids.containerId}`,
      { details: 'CNI_IFNAME must be free in the sandbox: remove the interface, or choose another name' },
    );
  }
  return {
    hostIfName,
    replace: {
      ...(hostEnd === undefined ? {} : { hostIfIndex: hostEnd.link.ifIndex }),
      ...(container === undefined ? {} : { containerIfIndex: container.ifIndex }),
    },
  };
}

/** The name the endpoint has already, else the usual one, else the alternative. */
function chooseName(inputs: ClaimInputs): string {
  const { endpoint, names, ids } = inputs;
  const known = endpoint?.interfaceName ? [endpoint.interfaceName] : [];
  const candidates = [...known, names.usual, names.alternative];
  const free = candidates.find((name) => !isTaken(inputs, name));
  if (free !== undefined) return free;
  throw new CalicoError(
    'network',
    `no name is left for the host interface of container ${ids.containerId}: ${candidates.join(' and ')} belong to others`,
    { details: 'an interface or a workload endpoint of these names is in use on this node' },
  );
}

/**
 * An endpoint of another container that names it has it, and so has any interface that is not ours to replace. A pod's
 * name is made of its own name and no other's, so what has it is of an earlier sandbox.
 */
function isTaken(inputs: ClaimInputs, name: string): boolean {
  if (inputs.similar.some(({ interfaceName }) => interfaceName === name)) return true;
  const seen = seenAs(inputs, name);
  if (seen === undefined) return false;
  if (!isPodLink(seen.link)) return true;
  if (inputs.ids.podName !== undefined && name === inputs.names.usual) return false;
  return !(seen.isOtherEnd || inputs.endpoint?.interfaceName === name);
}

function seenAs({ seen }: ClaimInputs, name: string): SeenHostLink | undefined {
  return seen.host.find(({ link }) => link.name === name);
}

/** Ours is the pair whose host end has our name, or the interface whose MAC our endpoint records. */
function isOurs(
  container: Link,
  hostEnd: SeenHostLink | undefined,
  endpoint: WorkloadEndpoint | undefined,
): boolean {
  return hostEnd?.isOtherEnd === true || (endpoint?.mac !== undefined && endpoint.mac === container.mac);
}
