/** Fills in the workload endpoint of one ADD. Pure. */

import { hostNetwork } from '../base/cidr.ts';
import type { IpAddress } from '../base/ip-address.ts';
import type { MacAddress } from '../base/mac-address.ts';
import { endpointName } from './endpoint-name.ts';
import type { WorkloadIdentifiers } from './identifiers.ts';
import type { WorkloadEndpoint } from './workload-endpoint.ts';

export interface EndpointInputs {
  readonly ids: WorkloadIdentifiers;
  readonly addresses: readonly IpAddress[];
  readonly profile: string;
  readonly hostIfName: string;
  readonly mac: MacAddress;
  readonly labels: Readonly<Record<string, string>>;
  /** Identity of a newly created endpoint. */
  readonly uid: string;
  readonly creationTimestamp: string;
}

/**
 * The endpoint to store. One that exists keeps its name, identity, labels and every field that others may have
 * set; it gains the profile and describes the interface that is about to be wired.
 */
export function buildEndpoint(
  inputs: EndpointInputs,
  existing: WorkloadEndpoint | undefined,
): WorkloadEndpoint {
  const { ids } = inputs;
  return {
    ...(existing ?? newEndpoint(inputs)),
    labels: {
      ...existing?.labels,
      ...inputs.labels,
      'projectcalico.org/namespace': ids.namespace,
      'projectcalico.org/orchestrator': ids.orchestrator,
    },
    containerId: ids.containerId,
    ipNetworks: inputs.addresses.map(hostNetwork),
    profiles: addTo(existing?.profiles ?? [], inputs.profile),
    interfaceName: inputs.hostIfName,
    mac: inputs.mac,
  };
}

function newEndpoint({ ids, uid, creationTimestamp, hostIfName, mac }: EndpointInputs): WorkloadEndpoint {
  return {
    name: endpointName(ids),
    namespace: ids.namespace,
    generateName: undefined,
    uid,
    creationTimestamp,
    labels: {},
    orchestrator: ids.orchestrator,
    nodeName: ids.nodeName,
    containerId: ids.containerId,
    podName: ids.podName,
    endpoint: ids.ifName,
    serviceAccountName: undefined,
    ipNetworks: [],
    profiles: [],
    interfaceName: hostIfName,
    mac,
    otherMetadata: {},
    otherSpec: {},
  };
}

function addTo(profiles: readonly string[], profile: string): readonly string[] {
  return profiles.includes(profile) ? profiles : [...profiles, profile];
}
