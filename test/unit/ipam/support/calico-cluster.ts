/** The model cluster, filled with what a datastore holds, or with what Calico's own plugins wrote. */

import { formatCidr } from '../../../../src/base/cidr.ts';
import type { Stored } from '../../../../src/base/revision.ts';
import { decodeAffinity, encodeAffinity } from '../../../../src/datastore/codecs/affinity.ts';
import { decodeBlock, encodeBlock } from '../../../../src/datastore/codecs/block.ts';
import { decodeHandle, encodeHandle } from '../../../../src/datastore/codecs/handle.ts';
import { decodeIpPool } from '../../../../src/datastore/codecs/ip-pool.ts';
import { decodeIpReservation } from '../../../../src/datastore/codecs/ip-reservation.ts';
import { decodeIpamConfig } from '../../../../src/datastore/codecs/ipam-config.ts';
import { decodeIpamNode } from '../../../../src/datastore/codecs/node.ts';
import { cidrOfKey, IPAM_CONFIG_KEY } from '../../../../src/datastore/keys.ts';
import { affinityId } from '../../../../src/ipam/facts.ts';
import { calicoState } from '../../../support/calico-states.ts';
import { type Cluster, cluster } from './cluster.ts';

const BLOCK = /\/assignment\/ipv[46]\/block\/[^/]+$/;
const AFFINITY = /\/host\/([^/]+)\/ipv[46]\/block\/[^/]+$/;
const HANDLE = /\/ipam\/v2\/handle\/([^/]+)$/;

/** The cluster as a fixture holds it. */
export function calicoCluster(step: string): Cluster {
  return clusterOf(calicoState(step).values);
}

/** The cluster as the datastore's values describe it. */
export function clusterOf(values: ReadonlyMap<string, string>): Cluster {
  const entries = [...values];
  const config = values.get(IPAM_CONFIG_KEY);
  return {
    ...cluster({
      pools: entries.flatMap(([key, value]) => (key.includes('/ippools/') ? [decodeIpPool(value, key)] : [])),
      nodes: entries.flatMap(([key, value]) => (key.includes('/nodes/') ? [decodeIpamNode(value, key)] : [])),
      reservations: entries.flatMap(([key, value]) =>
        key.includes('/ipreservations/') ? decodeIpReservation(value, key) : [],
      ),
      config: config === undefined ? {} : decodeIpamConfig(config, IPAM_CONFIG_KEY),
    }),
    blocks: records(entries, BLOCK, decodeBlock, (_, cidr) => cidr),
    affinities: records(entries, AFFINITY, decodeAffinity, (name, cidr) => affinityId(name, cidr)),
    handles: records(entries, HANDLE, decodeHandle, (name) => name),
  };
}

/** The values of blocks, affinities and handles, byte for byte as they would be stored. */
export function storedTexts(of: Cluster): Readonly<Record<string, string>> {
  return Object.fromEntries([
    ...Array.from(of.blocks, ([name, { value }]) => [`block ${name}`, encodeBlock(value)]),
    ...Array.from(of.affinities, ([name, { value }]) => [`affinity ${name}`, encodeAffinity(value)]),
    ...Array.from(of.handles, ([name, { value }]) => [`handle ${name}`, encodeHandle(value)]),
  ]);
}

function records<T>(
  entries: readonly (readonly [string, string])[],
  pattern: RegExp,
  decode: (value: string, key: string) => T,
  nameOf: (name: string, cidr: string) => string,
): ReadonlyMap<string, Stored<T>> {
  return new Map(
    entries.flatMap(([key, value]) => {
      const match = pattern.exec(key);
      const cidr = cidrOfKey(key);
      if (match === null) return [];
      const name = nameOf(match[1] ?? '', cidr === undefined ? '' : formatCidr(cidr));
      return [[name, { value: decode(value, key), revision: '1' }] as const];
    }),
  );
}
