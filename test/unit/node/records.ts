/** Records as Calico's parts write them, reduced to what the agent reads, and states made of them. */

import { addressCount, formatCidr, parseCidr } from '../../../src/base/cidr.ts';
import { parseIpAddress } from '../../../src/base/ip-address.ts';
import { blockKey, ipPoolKey, nodeKey } from '../../../src/datastore/keys.ts';
import { applyChanges, type RecordChange } from '../../../src/node/apply-changes.ts';
import { type ClusterState, unknownCluster } from '../../../src/node/cluster.ts';

const RESOURCES = '/calico/resources/v3/projectcalico.org';

export const READY: RecordChange = {
  key: `${RESOURCES}/clusterinformations/default`,
  text: JSON.stringify({ kind: 'ClusterInformation', spec: { datastoreReady: true } }),
};

/** `ip` with its mask goes to `bgp`. */
export function nodeRecord(
  name: string,
  ip: string | undefined,
  spec: object = {},
  bgp: object = {},
): RecordChange {
  const family = ip?.includes(':') ? 'ipv6Address' : 'ipv4Address';
  const all = { ...spec, ...(ip === undefined ? {} : { bgp: { [family]: ip, ...bgp } }) };
  return { key: nodeKey(name), text: JSON.stringify({ kind: 'Node', metadata: { name }, spec: all }) };
}

export function poolRecord(name: string, cidr: string, spec: object): RecordChange {
  return {
    key: ipPoolKey(name),
    text: JSON.stringify({ kind: 'IPPool', metadata: { name }, spec: { cidr, ...spec } }),
  };
}

/** `holders`: ordinal → node, or `null` where none is recorded. */
export function blockRecord(
  cidrText: string,
  affinity: string | null,
  holders: Readonly<Record<number, string | null>> = {},
): RecordChange {
  const cidr = parseCidr(cidrText);
  const ordinals = Object.entries(holders);
  const allocations: (number | null)[] = Array(Number(addressCount(cidr))).fill(null);
  for (const [index, [ordinal]] of ordinals.entries()) allocations[Number(ordinal)] = index;
  const attributes = ordinals.map(([ordinal, node]) => ({
    handle_id: `k8s-pod-network.${ordinal}`,
    secondary: node === null ? {} : { node },
  }));
  const unallocated = [...allocations.keys()].filter((ordinal) => allocations[ordinal] === null);
  const value = { cidr: formatCidr(cidr), affinity, allocations, unallocated, attributes };
  return {
    key: blockKey(cidr),
    text: JSON.stringify(value).replace(/}$/, ',"sequenceNumber":1795261852929959345,"deleted":false}'),
  };
}

export function endpointRecord(
  nodeName: string,
  name: string,
  interfaceName: string,
  addresses: readonly string[],
) {
  const ipNetworks = addresses.map(
    (address) => `${address}/${parseIpAddress(address).family === 4 ? 32 : 128}`,
  );
  const spec = { orchestrator: 'k8s', node: nodeName, interfaceName, ipNetworks };
  return {
    key: `${RESOURCES}/workloadendpoints/default/${nodeName.replaceAll('-', '--')}-k8s-${name}-eth0`,
    text: JSON.stringify({ kind: 'WorkloadEndpoint', metadata: { name }, spec }),
  };
}

export function felixRecord(name: string, spec: object): RecordChange {
  return {
    key: `${RESOURCES}/felixconfigurations/${name}`,
    text: JSON.stringify({ kind: 'FelixConfiguration', metadata: { name }, spec }),
  };
}

export function deleted({ key }: RecordChange): RecordChange {
  return { key, text: undefined };
}

/** The cluster as the node sees it after the changes; the datastore is ready. */
export function clusterOf(nodeName: string, ...changes: readonly RecordChange[]): ClusterState {
  return applyChanges(unknownCluster(nodeName), [READY, ...changes]);
}
