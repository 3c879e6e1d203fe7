/** Whether an address has an endpoint now, and that it gets none until it is released. Pure. */

import { isCalicoError } from '../base/calico-error.ts';
import { formatIpAddress, sameAddress } from '../base/ip-address.ts';
import { ABSENT } from '../base/revision.ts';
import { workloadEndpointKey } from '../datastore/keys.ts';
import type { Expectation, Range } from '../datastore/store.ts';
import { entryAt, type View } from '../datastore/view.ts';
import { knownEndpoints } from '../datastore/workload-records.ts';
import { addressOfAllocation, type SeenAllocation } from '../ipam/plan-collection.ts';
import { endpointNamePrefix } from '../workload/endpoint-name.ts';
import type { WorkloadIdentifiers } from '../workload/identifiers.ts';

/** The interface that every runtime names so, unless it is told otherwise. */
const USUAL_INTERFACE = 'eth0';

/** All that its owner could have: an ADD that is repeated makes the endpoint of an address that it has. */
export function endpointRanges(seen: SeenAllocation): readonly Range[] {
  return workloadPrefixes(seen).map((prefix) => ({ prefix }));
}

/** `undefined`: none of those that were read has the address. */
export function liveEndpoint(
  seen: SeenAllocation,
  view: View,
  warn: (text: string) => void,
): string | undefined {
  const address = addressOfAllocation(seen);
  const found = knownEndpoints(view, warn).find(({ value }) =>
    value.ipNetworks.some((network) => sameAddress(network.address, address)),
  );
  return (
    found &&
    `${formatIpAddress(address)} is the address of endpoint ${found.value.namespace}/${found.value.name}`
  );
}

/** The endpoint that the owner would get by now is not there, or as it was read. */
export function endpointGuards(seen: SeenAllocation, view: View): readonly Expectation[] {
  return workloadPrefixes(seen).map((prefix) => {
    const key = `${prefix}${USUAL_INTERFACE}`;
    return { key, revision: entryAt(view, key)?.revision ?? ABSENT };
  });
}

/** By the pod that it was assigned to; without one, by all that can be the container ID in the handle. */
function workloadPrefixes({ handleId, owner }: SeenAllocation): readonly string[] {
  const { node: nodeName, namespace, pod: podName } = owner;
  if (nodeName === undefined) return [];
  const base = { nodeName, ifName: USUAL_INTERFACE };
  if (podName !== undefined && namespace !== undefined)
    return prefixOf({ ...base, orchestrator: 'k8s', namespace, podName, containerId: podName });
  const parts = handleId.split('.');
  return parts.flatMap((_, i) => {
    const containerId = parts.slice(i).join('.');
    return prefixOf({ ...base, orchestrator: 'cni', namespace: 'default', podName: undefined, containerId });
  });
}

/** None for what cannot be in the name of an endpoint. */
function prefixOf(ids: WorkloadIdentifiers): readonly string[] {
  try {
    return [workloadEndpointKey(ids.namespace, endpointNamePrefix(ids))];
  } catch (error) {
    if (isCalicoError(error, 'config')) return [];
    throw error;
  }
}
