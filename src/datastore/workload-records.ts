/** Workload endpoints, profiles and cluster information in the datastore. Pure. */

import { ABSENT, type Stored } from '../base/revision.ts';
import type { WorkloadChange } from '../workload/change.ts';
import { endpointNamePrefixOfId, isEndpointOf, splitEndpointName } from '../workload/endpoint-name.ts';
import { SIGNIFICANT_ID_CHARACTERS } from '../workload/host-interface-name.ts';
import type { WorkloadIdentifiers } from '../workload/identifiers.ts';
import type { WorkloadEndpoint } from '../workload/workload-endpoint.ts';
import { decodeDatastoreReady } from './codecs/cluster-information.ts';
import { encodeProfile } from './codecs/profile.ts';
import { readable } from './codecs/readable.ts';
import { decodeWorkloadEndpoint, encodeWorkloadEndpoint } from './codecs/workload-endpoint.ts';
import {
  CLUSTER_INFORMATION_KEY,
  profileKey,
  WORKLOAD_ENDPOINTS_PREFIX,
  workloadEndpointKey,
} from './keys.ts';
import type { Entry, Range, Transaction, Write } from './store.ts';
import { entriesUnder, entryAt, keysUnder, type View } from './view.ts';

export interface WorkloadFacts {
  /** `undefined`: there is no ClusterInformation, so the datastore was never set up. */
  readonly datastoreReady: boolean | undefined;
  /** The endpoint of this workload, whatever interface it was made for. */
  readonly endpoint: Stored<WorkloadEndpoint> | undefined;
  /**
   * Endpoints of other containers of the node whose host interface could have the name of ours. None for a pod: its
   * interface is named after the hash of its own name.
   */
  readonly similar: readonly WorkloadEndpoint[];
  readonly profileExists: boolean;
}

/** What {@link datastoreReady} needs. */
export function clusterRanges(): readonly Range[] {
  return [{ key: CLUSTER_INFORMATION_KEY }];
}

/** What an ADD or a DEL must know of workloads. The profile is of no interest to a DEL. */
export function workloadRanges(ids: WorkloadIdentifiers, profile?: string): readonly Range[] {
  return [
    ...clusterRanges(),
    { prefix: endpointsKeyPrefix(ids) },
    ...(profile === undefined ? [] : [{ key: profileKey(profile) }]),
  ];
}

/** The names of all endpoints there are. */
export const ENDPOINT_LIST: Range = { prefix: WORKLOAD_ENDPOINTS_PREFIX, keysOnly: true };

/** The keys of the node's endpoints, once {@link ENDPOINT_LIST} has been read: no range holds them and no others. */
export function endpointKeysOfNode(view: View, nodeName: string): readonly string[] {
  return [...(keysUnder(view, WORKLOAD_ENDPOINTS_PREFIX) ?? [])].filter((key) => {
    const segments = splitEndpointName(key.slice(key.lastIndexOf('/') + 1));
    return segments.length === 4 && segments[0] === nodeName;
  });
}

/** All endpoints that have been read. Damaged ones are reported to `warn` and left out. */
export function knownEndpoints(
  view: View,
  warn: (text: string) => void,
): readonly Stored<WorkloadEndpoint>[] {
  return entriesUnder(view, WORKLOAD_ENDPOINTS_PREFIX).flatMap((entry) => {
    const value = readable(warn, () => decodeWorkloadEndpoint(entry.value, entry.key));
    return value === undefined ? [] : [{ value, revision: entry.revision }];
  });
}

/** A damaged endpoint of another container is reported to `warn` and left out; this one's own must be whole. */
export function workloadFacts(
  view: View,
  ids: WorkloadIdentifiers,
  warn: (text: string) => void,
  profile?: string,
): WorkloadFacts {
  const entries = entriesUnder(view, endpointsKeyPrefix(ids));
  const isOwn = ({ key }: Entry) => isEndpointOf(key.slice(key.lastIndexOf('/') + 1), ids);
  const own = entries.find(isOwn);
  return {
    datastoreReady: datastoreReady(view),
    endpoint: own && { value: decodeWorkloadEndpoint(own.value, own.key), revision: own.revision },
    similar:
      ids.podName === undefined
        ? decodeOthers(
            entries.filter((entry) => !isOwn(entry)),
            warn,
          )
        : [],
    profileExists: profile !== undefined && entryAt(view, profileKey(profile)) !== undefined,
  };
}

function decodeOthers(entries: readonly Entry[], warn: (text: string) => void): readonly WorkloadEndpoint[] {
  return entries.flatMap(
    (entry) => readable(warn, () => decodeWorkloadEndpoint(entry.value, entry.key)) ?? [],
  );
}

/** `undefined` when there is no ClusterInformation. */
export function datastoreReady(view: View): boolean | undefined {
  const entry = entryAt(view, CLUSTER_INFORMATION_KEY);
  return entry === undefined ? undefined : decodeDatastoreReady(entry.value, entry.key);
}

export function workloadTransaction(changes: readonly WorkloadChange[]): Transaction {
  return {
    expect: changes.map((change) => ({
      key: keyOf(change),
      revision: change.record === 'endpoint' ? change.from : ABSENT,
    })),
    write: changes.map(writeOf),
  };
}

/**
 * Those of the pod, and of pods whose names go on with a dash; outside Kubernetes those of all containers whose IDs
 * begin alike, so that a host interface name in use is seen in the same read.
 */
function endpointsKeyPrefix(ids: WorkloadIdentifiers): string {
  const prefix =
    ids.podName === undefined
      ? endpointNamePrefixOfId(ids, ids.containerId.slice(0, SIGNIFICANT_ID_CHARACTERS))
      : `${endpointNamePrefixOfId(ids, ids.podName)}-`;
  return workloadEndpointKey(ids.namespace, prefix);
}

function keyOf(change: WorkloadChange): string {
  return change.record === 'endpoint'
    ? workloadEndpointKey(change.namespace, change.name)
    : profileKey(change.to.name);
}

function writeOf(change: WorkloadChange): Write {
  const key = keyOf(change);
  if (change.record === 'profile') return { type: 'put', key, value: encodeProfile(change.to) };
  if (change.to === undefined) return { type: 'delete', key };
  return { type: 'put', key, value: encodeWorkloadEndpoint(change.to) };
}
