/**
 * Where every record lives, exactly as Calico lays its keys out in etcd v3. Pure.
 *
 * Nothing in a key is escaped, so a name that holds a `/` would leave its folder: {@link keySegment} refuses it.
 */

import { CalicoError } from '../base/calico-error.ts';
import { addressCount, type Cidr, formatCidr, tryParseCidr } from '../base/cidr.ts';
import type { IpFamily } from '../base/ip-address.ts';

const IPAM = '/calico/ipam/v2';
const RESOURCES = '/calico/resources/v3/projectcalico.org';

export const HANDLES_PREFIX = `${IPAM}/handle/`;
/** Affinities of all nodes, and what old versions kept of the nodes themselves. */
export const AFFINITIES_PREFIX = `${IPAM}/host/`;

export const IPAM_CONFIG_KEY = `${IPAM}/config`;
export const NODES_PREFIX = `${RESOURCES}/nodes/`;
export const IP_POOLS_PREFIX = `${RESOURCES}/ippools/`;
export const IP_RESERVATIONS_PREFIX = `${RESOURCES}/ipreservations/`;
export const WORKLOAD_ENDPOINTS_PREFIX = `${RESOURCES}/workloadendpoints/`;
export const CLUSTER_INFORMATION_KEY = `${RESOURCES}/clusterinformations/default`;

export function blockPrefix(family: IpFamily): string {
  return `${IPAM}/assignment/ipv${family}/block/`;
}

export function blockKey(cidr: Cidr): string {
  return blockPrefix(cidr.family) + cidrSegment(cidr);
}

/** All affinities of a node in one family. */
export function affinityPrefix(nodeName: string, family: IpFamily): string {
  return `${IPAM}/host/${keySegment('node name', nodeName)}/ipv${family}/block/`;
}

export function affinityKey(nodeName: string, cidr: Cidr): string {
  return affinityPrefix(nodeName, cidr.family) + cidrSegment(cidr);
}

/** The node of an affinity's key; `undefined` when it is another record's key. */
export function nodeNameOfAffinityKey(key: string): string | undefined {
  return /\/host\/([^/]+)\/ipv[46]\/block\/[^/]+$/.exec(key)?.[1];
}

export function handleKey(handleId: string): string {
  return HANDLES_PREFIX + keySegment('handle', handleId);
}

/** The handle ID that ends a handle's key; `undefined` when it is another record's key. */
export function handleIdOfKey(key: string): string | undefined {
  return key.startsWith(HANDLES_PREFIX) ? key.slice(HANDLES_PREFIX.length) : undefined;
}

/** All resources of a kind; its name is in the plural and in lower case: `nodes`. */
export function resourcePrefix(plural: string): string {
  return `${RESOURCES}/${plural}/`;
}

export function nodeKey(nodeName: string): string {
  return `${NODES_PREFIX}${keySegment('node name', nodeName)}`;
}

/** What old versions kept of a node; nobody reads it. */
export function ipamHostKey(nodeName: string): string {
  return AFFINITIES_PREFIX + keySegment('node name', nodeName);
}

const NODE_AGENT = '/calico/node-agent/v1';
export const NODE_CLAIMS_PREFIX = `${NODE_AGENT}/claims/`;

/** Which host has the name: a record of ours, which Calico does not know. */
export function nodeClaimKey(nodeName: string): string {
  return NODE_CLAIMS_PREFIX + keySegment('node name', nodeName);
}

/** Which agent looks after what removed nodes have left: another record of ours. */
export const COLLECTOR_KEY = `${NODE_AGENT}/garbage-collector`;

export function ipPoolKey(name: string): string {
  return IP_POOLS_PREFIX + keySegment('pool name', name);
}

export function profileKey(name: string): string {
  return `${RESOURCES}/profiles/${keySegment('profile name', name)}`;
}

/** Endpoints of a namespace whose names start with the prefix; a full name names one key. */
export function workloadEndpointKey(namespace: string, nameOrPrefix: string): string {
  return `${WORKLOAD_ENDPOINTS_PREFIX}${keySegment('namespace', namespace)}/${keySegment('endpoint name', nameOrPrefix)}`;
}

/** Calico allows no larger blocks; what is larger is not a block but damage. */
export const MAX_BLOCK_ADDRESSES = 4096n;

/**
 * The CIDR that ends a block's or an affinity's key: `…/ipv4/block/10.77.0.160-28`. `undefined` when it is none of a
 * block, or not where and as this CIDR is written: then it would be another key that is changed.
 */
export function cidrOfKey(key: string): Cidr | undefined {
  const segment = key.slice(key.lastIndexOf('/') + 1);
  const dash = segment.lastIndexOf('-');
  const cidr = dash < 0 ? undefined : tryParseCidr(`${segment.slice(0, dash)}/${segment.slice(dash + 1)}`);
  if (cidr === undefined || addressCount(cidr) > MAX_BLOCK_ADDRESSES) return undefined;
  return key.endsWith(`/ipv${cidr.family}/block/${cidrSegment(cidr)}`) ? cidr : undefined;
}

/** Namespace and name of the endpoint whose key it is; `undefined` when it is another record's. */
export function endpointOfKey(
  key: string,
): { readonly namespace: string; readonly name: string } | undefined {
  if (!key.startsWith(WORKLOAD_ENDPOINTS_PREFIX)) return undefined;
  const [namespace, name, ...rest] = key.slice(WORKLOAD_ENDPOINTS_PREFIX.length).split('/');
  return namespace && name && rest.length === 0 ? { namespace, name } : undefined;
}

/** The first `/` becomes `-`; the colons of IPv6 stay. */
function cidrSegment(cidr: Cidr): string {
  return formatCidr(cidr).replace('/', '-');
}

function keySegment(what: string, value: string): string {
  if (value !== '' && !value.includes('/')) return value;
  throw new CalicoError(
    'config',
    `invalid ${what} ${JSON.stringify(value)}: it must not be empty or hold a "/"`,
  );
}
