/** Fills in the workload endpoint of one ADD. Pure. */

import { CalicoError } from '../base/calico-error.ts';
import { hostNetwork } from '../base/cidr.ts';
import { formatIpAddress, type IpAddress } from '../base/ip-address.ts';
import type { MacAddress } from '../base/mac-address.ts';
import { endpointName } from './endpoint-name.ts';
import type { EndpointSettings, IpNat } from './endpoint-settings.ts';
import type { WorkloadIdentifiers } from './identifiers.ts';
import type { WorkloadEndpoint } from './workload-endpoint.ts';

export interface EndpointInputs {
  readonly ids: WorkloadIdentifiers;
  readonly addresses: readonly IpAddress[];
  readonly profiles: readonly string[];
  readonly hostIfName: string;
  readonly mac: MacAddress;
  /** Labels to add; with `settings`, theirs are all there are. */
  readonly labels: Readonly<Record<string, string>>;
  /** What a pod's endpoint is to say, whatever it said before; `undefined` outside Kubernetes. */
  readonly settings: EndpointSettings | undefined;
  /** Identity of a newly created endpoint. */
  readonly uid: string;
  readonly creationTimestamp: string;
}

/**
 * The endpoint to store. One that exists keeps its name, identity and every field that others may have set, and
 * describes the interface that is about to be wired. With `settings`, labels, profiles and what else they tell are
 * replaced; without, labels and profiles are added. Throws `config` for a floating IP of a family the pod has not.
 */
export function buildEndpoint(
  inputs: EndpointInputs,
  existing: WorkloadEndpoint | undefined,
): WorkloadEndpoint {
  const { ids, settings } = inputs;
  const before = existing ?? newEndpoint(inputs);
  return {
    ...before,
    ...(settings === undefined ? addedTo(before, inputs) : replacedBy(settings, inputs)),
    containerId: ids.containerId,
    ipNetworks: inputs.addresses.map(hostNetwork),
    interfaceName: inputs.hostIfName,
    mac: inputs.mac,
  };
}

function addedTo(
  before: WorkloadEndpoint,
  { ids, labels, profiles }: EndpointInputs,
): Partial<WorkloadEndpoint> {
  return {
    labels: { ...before.labels, ...labels, ...ownLabels(ids) },
    profiles: [...before.profiles, ...profiles.filter((profile) => !before.profiles.includes(profile))],
  };
}

function replacedBy(
  settings: EndpointSettings,
  { ids, profiles, addresses }: EndpointInputs,
): Partial<WorkloadEndpoint> {
  return {
    labels: { ...settings.labels, ...ownLabels(ids) },
    profiles,
    generateName: settings.generateName,
    serviceAccountName: settings.serviceAccountName,
    ports: settings.ports,
    ipNats: settings.floatingIps.map((externalIp) => natTo(externalIp, addresses)),
    allowedSourcePrefixes: settings.allowedSourcePrefixes,
    qosControls: settings.qosControls,
  };
}

/** Those that Calico's own writer forces upon every endpoint. */
function ownLabels({ namespace, orchestrator }: WorkloadIdentifiers): Readonly<Record<string, string>> {
  return { 'projectcalico.org/namespace': namespace, 'projectcalico.org/orchestrator': orchestrator };
}

function natTo(externalIp: IpAddress, addresses: readonly IpAddress[]): IpNat {
  const internalIp = addresses.find(({ family }) => family === externalIp.family);
  if (internalIp !== undefined) return { internalIp, externalIp };
  throw new CalicoError(
    'config',
    `floating IP ${formatIpAddress(externalIp)} cannot lead to the pod: it has no IPv${externalIp.family} address`,
    {
      details: `the pod's addresses are ${addresses.map(formatIpAddress).join(', ')}; take the floating IP out of cni.projectcalico.org/floatingIPs, or give the pod an address of that family`,
    },
  );
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
    ports: [],
    ipNats: [],
    allowedSourcePrefixes: [],
    qosControls: {},
    otherMetadata: {},
    otherSpec: {},
  };
}
