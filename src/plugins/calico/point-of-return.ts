/**
 * What a failed ADD goes back to. The endpoint is the pod's former sandbox's again, unless that one was deleted between
 * the ADD and its failure: its DEL found an endpoint that was not its own and left it, and there will be no other. Pure.
 */

import { formatCidr } from '../../base/cidr.ts';
import { sameAddress } from '../../base/ip-address.ts';
import type { MustLook } from '../../ipam/assignment/address-search.ts';
import type { IpamFacts } from '../../ipam/facts.ts';
import type { IpamChange } from '../../ipam/records.ts';
import { stillHeld } from '../../ipam/still-held.ts';
import type { WorkloadIdentifiers } from '../../workload/identifiers.ts';
import { isOfContainer } from '../../workload/workload-endpoint.ts';
import type { BeforeAdd } from './decide-add.ts';

export type PointOfReturn =
  | {
      readonly outcome: 'known';
      readonly restore: BeforeAdd | undefined;
      /** What must not change until the endpoint is restored. */
      readonly guards: readonly IpamChange[];
    }
  | MustLook;

export interface FailedAdd {
  readonly ids: WorkloadIdentifiers;
  readonly nowNs: bigint;
  /** What there was before it; `undefined`: it is no ADD that failed. */
  readonly restore: BeforeAdd | undefined;
  /** Whether the host has an interface of the name. */
  readonly isOnHost: (hostIfName: string) => boolean;
}

/**
 * The former sandbox is alive when its interface is there and its addresses are its own. Either alone is not enough: an
 * interface goes before the records do, and addresses that were all taken over, or that another IPAM plugin holds, tell
 * nothing.
 */
export function pointOfReturn({ restore, ids, nowNs, isOnHost }: FailedAdd, facts: IpamFacts): PointOfReturn {
  if (restore === undefined) return { outcome: 'known', restore, guards: [] };
  const nothing = { outcome: 'known', restore: withoutEndpoint(restore), guards: [] } as const;
  const { endpoint, predecessor } = restore;
  const isAnothers = endpoint !== undefined && !isOfContainer(endpoint, ids.containerId);
  if (isAnothers && !isOnHost(endpoint.interfaceName)) return nothing;
  if (predecessor === undefined) return { outcome: 'known', restore, guards: [] };
  const { podName: pod, namespace } = ids;
  const addresses = predecessor.addresses.filter(
    (address) => !restore.takenOver.some((taken) => sameAddress(taken.address, address)),
  );
  const answer = stillHeld({ ...predecessor, addresses, pod, namespace, nowNs }, facts);
  if (answer.outcome === 'look') return answer;
  if (answer.isHeld) return { outcome: 'known', restore, guards: answer.guards };
  return nothing;
}

function withoutEndpoint(restore: BeforeAdd): BeforeAdd {
  return { ...restore, endpoint: undefined, takenOver: [] };
}

/** The changes, with guards for what they do not change themselves. */
export function withGuards(
  changes: readonly IpamChange[],
  guards: readonly IpamChange[],
): readonly IpamChange[] {
  const nameOf = (change: IpamChange) => (change.record === 'block' ? formatCidr(change.cidr) : undefined);
  const changed = new Set(changes.map(nameOf));
  return [...changes, ...guards.filter((guard) => !changed.has(nameOf(guard)))];
}
