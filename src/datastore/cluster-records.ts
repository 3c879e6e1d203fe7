/** The records of a whole cluster, one by one, for those who look over all of them. Pure. */

import { isCalicoError } from '../base/calico-error.ts';
import type { Cidr } from '../base/cidr.ts';
import type { Revision } from '../base/revision.ts';
import type { AllocationBlock } from '../ipam/allocation-block.ts';
import type { BlockAffinity, Handle, IpPool } from '../ipam/records.ts';
import type { WorkloadEndpoint } from '../workload/workload-endpoint.ts';
import { decodeAffinity } from './codecs/affinity.ts';
import { decodeBlock } from './codecs/block.ts';
import { decodeHandle } from './codecs/handle.ts';
import { decodeIpPool } from './codecs/ip-pool.ts';
import { decodeIpReservation } from './codecs/ip-reservation.ts';
import { corrupt } from './codecs/json.ts';
import { decodeWorkloadEndpoint } from './codecs/workload-endpoint.ts';
import {
  AFFINITIES_PREFIX,
  blockPrefix,
  cidrOfKey,
  HANDLES_PREFIX,
  IP_POOLS_PREFIX,
  IP_RESERVATIONS_PREFIX,
  NODES_PREFIX,
  nodeNameOfAffinityKey,
  WORKLOAD_ENDPOINTS_PREFIX,
} from './keys.ts';
import type { Entry, PrefixRange } from './store.ts';

export type ClusterRecord =
  | { readonly record: 'pool'; readonly pool: IpPool }
  | { readonly record: 'reservation'; readonly cidrs: readonly Cidr[] }
  | { readonly record: 'node'; readonly nodeName: string }
  | { readonly record: 'endpoint'; readonly endpoint: WorkloadEndpoint }
  | {
      readonly record: 'handle';
      readonly handleId: string;
      readonly handle: Handle;
      readonly revision: Revision;
    }
  | {
      readonly record: 'affinity';
      readonly nodeName: string;
      readonly cidr: Cidr;
      readonly affinity: BlockAffinity;
      readonly revision: Revision;
    }
  | { readonly record: 'block'; readonly block: AllocationBlock }
  /** Its value, or its key, is not what it should be. */
  | { readonly record: 'unreadable'; readonly why: string };

type Kind = Exclude<ClusterRecord['record'], 'unreadable'>;

/** What is to be read for each kind; of nodes only the names. */
export const CLUSTER_RANGES: Readonly<Record<Kind, readonly PrefixRange[]>> = {
  pool: [{ prefix: IP_POOLS_PREFIX }],
  reservation: [{ prefix: IP_RESERVATIONS_PREFIX }],
  node: [{ prefix: NODES_PREFIX, keysOnly: true }],
  endpoint: [{ prefix: WORKLOAD_ENDPOINTS_PREFIX }],
  handle: [{ prefix: HANDLES_PREFIX }],
  affinity: [{ prefix: AFFINITIES_PREFIX }],
  block: [{ prefix: blockPrefix(4) }, { prefix: blockPrefix(6) }],
};

const KIND_OF_PREFIX: ReadonlyMap<string, string> = new Map(
  Object.entries(CLUSTER_RANGES).flatMap(([kind, ranges]) => ranges.map(({ prefix }) => [prefix, kind])),
);

/** An entry found under one of the prefixes of {@link CLUSTER_RANGES}; `undefined` for a key of something else there. */
export function clusterRecord(prefix: string, entry: Entry): ClusterRecord | undefined {
  try {
    return decode(KIND_OF_PREFIX.get(prefix), entry);
  } catch (error) {
    if (isCalicoError(error, 'corrupt')) return { record: 'unreadable', why: error.message };
    throw error;
  }
}

function decode(kind: string | undefined, { key, value, revision }: Entry): ClusterRecord | undefined {
  const name = key.slice(key.lastIndexOf('/') + 1);
  switch (kind) {
    case 'pool':
      return { record: 'pool', pool: decodeIpPool(value, key) };
    case 'reservation':
      return { record: 'reservation', cidrs: decodeIpReservation(value, key) };
    case 'node':
      return { record: 'node', nodeName: name };
    case 'endpoint':
      return { record: 'endpoint', endpoint: decodeWorkloadEndpoint(value, key) };
    case 'handle':
      return { record: 'handle', handleId: name, handle: decodeHandle(value, key), revision };
    case 'affinity':
      return affinityRecord({ key, value, revision });
    case 'block':
      requireCidr(key);
      return { record: 'block', block: decodeBlock(value, key) };
    default:
      return undefined;
  }
}

/** Beside affinities there may be records of the nodes themselves, of old versions. */
function affinityRecord({ key, value, revision }: Entry): ClusterRecord | undefined {
  const nodeName = nodeNameOfAffinityKey(key);
  if (nodeName === undefined) return undefined;
  const affinity = decodeAffinity(value, key);
  return { record: 'affinity', nodeName, cidr: requireCidr(key), affinity, revision };
}

function requireCidr(key: string): Cidr {
  const cidr = cidrOfKey(key);
  if (cidr === undefined) throw corrupt(key, 'the key does not end in the CIDR of a block');
  return cidr;
}
