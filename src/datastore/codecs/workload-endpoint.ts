/** WorkloadEndpoint ⇄ JSON. Fields it does not interpret are kept as they came. Pure. */

import { formatIpNetwork, type IpNetwork, tryParseIpNetwork } from '../../base/cidr.ts';
import type { JsonObject } from '../../base/json-object.ts';
import type { WorkloadEndpoint } from '../../workload/workload-endpoint.ts';
import { endpointOfKey } from '../keys.ts';
import { decodeEndpointParts, encodeEndpointParts } from './endpoint-parts.ts';
import {
  type FieldSource,
  objectField,
  stringArrayField,
  stringField,
  stringMapField,
  unknownFields,
  wrongType,
} from './fields.ts';
import { parseJsonObject } from './json.ts';
import { formatResource } from './resource.ts';

const SPEC_ORDER = [
  'orchestrator',
  'workload',
  'node',
  'containerID',
  'pod',
  'endpoint',
  'serviceAccountName',
  'ipNetworks',
  'ipNATs',
  'ipv4Gateway',
  'ipv6Gateway',
  'profiles',
  'interfaceName',
  'mac',
  'ports',
  'allowSpoofedSourcePrefixes',
  'qosControls',
];
const KNOWN_METADATA = ['name', 'generateName', 'namespace', 'uid', 'creationTimestamp', 'labels'];
const KNOWN_SPEC = [
  'orchestrator',
  'node',
  'containerID',
  'pod',
  'endpoint',
  'serviceAccountName',
  'ipNetworks',
  'profiles',
  'interfaceName',
  'mac',
];

/** Its name is that of its key, whatever the value says: that is where it is changed. */
export function decodeWorkloadEndpoint(text: string, key: string): WorkloadEndpoint {
  const source: FieldSource = { object: parseJsonObject(text, key), key };
  const metadata = objectField(source, 'metadata') ?? { object: {}, key };
  const spec = objectField(source, 'spec') ?? { object: {}, key };
  return {
    name: stringField(metadata, 'name') ?? '',
    namespace: stringField(metadata, 'namespace') ?? '',
    ...endpointOfKey(key),
    generateName: stringField(metadata, 'generateName'),
    uid: stringField(metadata, 'uid') ?? '',
    creationTimestamp: stringField(metadata, 'creationTimestamp') ?? '',
    labels: stringMapField(metadata, 'labels') ?? {},
    orchestrator: stringField(spec, 'orchestrator') ?? '',
    nodeName: stringField(spec, 'node') ?? '',
    containerId: stringField(spec, 'containerID'),
    podName: stringField(spec, 'pod'),
    endpoint: stringField(spec, 'endpoint') ?? '',
    serviceAccountName: stringField(spec, 'serviceAccountName'),
    ipNetworks: (stringArrayField(spec, 'ipNetworks') ?? []).map((network) => decodeNetwork(network, key)),
    profiles: stringArrayField(spec, 'profiles') ?? [],
    interfaceName: stringField(spec, 'interfaceName') ?? '',
    mac: stringField(spec, 'mac'),
    ...decodeEndpointParts(unknownFields(spec.object, KNOWN_SPEC)),
    otherMetadata: unknownFields(metadata.object, KNOWN_METADATA),
  };
}

export function encodeWorkloadEndpoint(endpoint: WorkloadEndpoint): string {
  const metadata: JsonObject = {
    ...endpoint.otherMetadata,
    name: endpoint.name,
    generateName: endpoint.generateName,
    namespace: endpoint.namespace,
    uid: endpoint.uid,
    creationTimestamp: endpoint.creationTimestamp,
    labels: endpoint.labels,
  };
  const spec: JsonObject = {
    ...endpoint.otherSpec,
    orchestrator: endpoint.orchestrator,
    node: endpoint.nodeName,
    containerID: endpoint.containerId,
    pod: endpoint.podName,
    endpoint: endpoint.endpoint,
    serviceAccountName: endpoint.serviceAccountName,
    ipNetworks: endpoint.ipNetworks.map(formatIpNetwork),
    profiles: endpoint.profiles,
    interfaceName: endpoint.interfaceName,
    mac: endpoint.mac,
    ...encodeEndpointParts(endpoint),
  };
  return formatResource('WorkloadEndpoint', metadata, spec, SPEC_ORDER);
}

function decodeNetwork(text: string, key: string): IpNetwork {
  const network = tryParseIpNetwork(text);
  if (network === undefined) throw wrongType(key, 'spec.ipNetworks', 'an array of CIDRs', text);
  return network;
}
