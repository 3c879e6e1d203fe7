/**
 * Reads a whole datastore and lists what must not be: the invariants of IPAM over all its records, and of the
 * endpoints that use them. Works on the values of any store, after any history.
 */

import { formatIpAddress } from '../../src/base/ip-address.ts';
import { decodeWorkloadEndpoint } from '../../src/datastore/codecs/workload-endpoint.ts';
import { addressOf } from '../../src/ipam/allocation-block.ts';
import { attributeOf } from '../../src/ipam/block/attribute.ts';
import type { WorkloadEndpoint } from '../../src/workload/workload-endpoint.ts';
import { clusterOf } from '../unit/ipam/support/calico-cluster.ts';
import type { Cluster } from '../unit/ipam/support/cluster.ts';
import { clusterViolations } from '../unit/ipam/support/invariants.ts';

export interface Expectation {
  /** Name of the network: first part of every handle. */
  readonly network: string;
  /** Containers that are running, with the addresses they were given; nobody else may hold one. */
  readonly live: ReadonlyMap<string, readonly string[]>;
}

/** Violations, each a sentence; empty when all is well. */
export function datastoreViolations(
  values: ReadonlyMap<string, string>,
  expected: Expectation,
): readonly string[] {
  const cluster = clusterOf(values);
  const owners = ownersOf(cluster);
  return [
    ...clusterViolations(cluster),
    ...duplicateAddresses(expected),
    ...liveViolations(expected, owners),
    ...leakedAddresses(expected, owners),
    ...leakedHandles(expected, cluster),
    ...endpointViolations(expected, endpointsOf(values), owners),
  ];
}

/** Address text → handle. */
function ownersOf(cluster: Cluster): ReadonlyMap<string, string> {
  const owners = new Map<string, string>();
  for (const { value } of cluster.blocks.values()) {
    value.allocations.forEach((index, ordinal) => {
      const handleId = attributeOf(value, ordinal)?.handleId;
      if (index !== null && handleId !== undefined)
        owners.set(formatIpAddress(addressOf(value, ordinal)), handleId);
    });
  }
  return owners;
}

function endpointsOf(values: ReadonlyMap<string, string>): readonly WorkloadEndpoint[] {
  return Array.from(values)
    .filter(([key]) => key.includes('/workloadendpoints/'))
    .map(([key, value]) => decodeWorkloadEndpoint(value, key));
}

function duplicateAddresses({ live }: Expectation): readonly string[] {
  const all = [...live.values()].flat();
  return all
    .filter((address, index) => all.indexOf(address) !== index)
    .map((address) => `${address} was given to two containers`);
}

function liveViolations(
  { network, live }: Expectation,
  owners: ReadonlyMap<string, string>,
): readonly string[] {
  return [...live].flatMap(([containerId, addresses]) =>
    addresses
      .filter((address) => owners.get(address) !== `${network}.${containerId}`)
      .map((address) => `${address} of ${containerId} belongs to ${owners.get(address) ?? 'nobody'}`),
  );
}

function leakedAddresses(
  { network, live }: Expectation,
  owners: ReadonlyMap<string, string>,
): readonly string[] {
  return [...owners]
    .filter(([address, handleId]) => !(live.get(handleId.slice(network.length + 1)) ?? []).includes(address))
    .map(([address, handleId]) => `${address} is leaked to ${handleId}`);
}

function leakedHandles({ network, live }: Expectation, cluster: Cluster): readonly string[] {
  return [...cluster.handles.keys()]
    .filter((handleId) => !live.has(handleId.slice(network.length + 1)))
    .map((handleId) => `handle ${handleId} is leaked`);
}

function endpointViolations(
  { live }: Expectation,
  endpoints: readonly WorkloadEndpoint[],
  owners: ReadonlyMap<string, string>,
): readonly string[] {
  const leaked = endpoints
    .filter(({ containerId = '' }) => !live.has(containerId))
    .map(({ name }) => `endpoint ${name} is leaked`);
  const missing = [...live.keys()]
    .filter((id) => !endpoints.some(({ containerId }) => containerId === id))
    .map((id) => `${id} has no endpoint`);
  const wrong = endpoints.flatMap(({ name, ipNetworks }) =>
    ipNetworks
      .filter(({ address }) => !owners.has(formatIpAddress(address)))
      .map(({ address }) => `endpoint ${name} has ${formatIpAddress(address)}, which is free`),
  );
  return [...leaked, ...missing, ...wrong];
}
