/** Which record a key of the datastore holds, of those the agent knows. Pure. */

import type { Cidr } from '../base/cidr.ts';
import {
  blockPrefix,
  CLUSTER_INFORMATION_KEY,
  cidrOfKey,
  endpointOfKey,
  IP_POOLS_PREFIX,
  WORKLOAD_ENDPOINTS_PREFIX,
} from '../datastore/keys.ts';
import { splitEndpointName } from '../workload/endpoint-name.ts';

const RESOURCES = '/calico/resources/v3/projectcalico.org';
const NODES_PREFIX = `${RESOURCES}/nodes/`;
const FELIX_CONFIGURATIONS_PREFIX = `${RESOURCES}/felixconfigurations/`;
const BGP_CONFIGURATION_KEY = `${RESOURCES}/bgpconfigurations/default`;

/** What the keys of all records begin with that {@link recordOfKey} knows: to be read at one revision and watched from there. */
export const WATCHED_PREFIXES: readonly string[] = [
  NODES_PREFIX,
  IP_POOLS_PREFIX,
  blockPrefix(4),
  blockPrefix(6),
  FELIX_CONFIGURATIONS_PREFIX,
  BGP_CONFIGURATION_KEY,
  CLUSTER_INFORMATION_KEY,
  WORKLOAD_ENDPOINTS_PREFIX,
];

export type RecordName =
  | { readonly record: 'node' | 'pool' | 'felix'; readonly name: string }
  | { readonly record: 'block'; readonly cidr: Cidr }
  | { readonly record: 'endpoint' | 'bgp' | 'cluster-information' };

/** `undefined` for the records that do not matter to this node, other nodes' endpoints and settings among them. */
export function recordOfKey(key: string, nodeName: string): RecordName | undefined {
  if (key === BGP_CONFIGURATION_KEY) return { record: 'bgp' };
  if (key === CLUSTER_INFORMATION_KEY) return { record: 'cluster-information' };
  const node = nameBelow(NODES_PREFIX, key);
  if (node !== undefined) return { record: 'node', name: node };
  const pool = nameBelow(IP_POOLS_PREFIX, key);
  if (pool !== undefined) return { record: 'pool', name: pool };
  const felix = nameBelow(FELIX_CONFIGURATIONS_PREFIX, key);
  if (felix !== undefined)
    return felix === 'default' || felix === `node.${nodeName}` ? { record: 'felix', name: felix } : undefined;
  const endpoint = endpointOfKey(key);
  if (endpoint !== undefined)
    return splitEndpointName(endpoint.name)[0] === nodeName ? { record: 'endpoint' } : undefined;
  const cidr = key.startsWith(blockPrefix(4)) || key.startsWith(blockPrefix(6)) ? cidrOfKey(key) : undefined;
  return cidr === undefined ? undefined : { record: 'block', cidr };
}

function nameBelow(prefix: string, key: string): string | undefined {
  return key.startsWith(prefix) && key.length > prefix.length ? key.slice(prefix.length) : undefined;
}
