/** What a pod and its namespace say about the pod's endpoint and its addresses. Pure. */

import type { IpFamily } from '../base/ip-address.ts';
import type { MacAddress } from '../base/mac-address.ts';
import type { EndpointSettings } from '../workload/endpoint-settings.ts';
import type { Namespace, Pod } from './objects.ts';
import {
  allowedSourcePrefixes,
  floatingIps,
  type RequestedAddresses,
  requestedAddresses,
} from './pod-addresses.ts';
import { podLabels, podProfiles } from './pod-identity.ts';
import { podMac } from './pod-mac.ts';
import { podFamilies, podPools } from './pod-pools.ts';
import { podPorts } from './pod-ports.ts';
import { podQos } from './pod-qos.ts';

export interface PodSettings extends EndpointSettings {
  /** `test/web-1`, for messages. */
  readonly pod: string;
  /** Of the namespace and of the service account, which give the pod their rules and labels. */
  readonly profiles: readonly string[];
  /** For the interface in the pod; `undefined`: any. */
  readonly mac: MacAddress | undefined;
  /** CIDRs or names of pools, instead of those of the network configuration; `undefined`: as that says. */
  readonly ipv4Pools: readonly string[] | undefined;
  readonly ipv6Pools: readonly string[] | undefined;
  /** Of the addresses to assign, instead of those of the network configuration; `undefined`: as that says. */
  readonly families: readonly IpFamily[] | undefined;
  readonly addresses: RequestedAddresses;
  /** What was left out or changed, for the log. */
  readonly notes: readonly string[];
}

/** Throws `config` for an annotation that cannot be understood: it names the annotation, its value and the pod. */
export function podSettings(pod: Pod, namespace: Namespace): PodSettings {
  const { ports, notes } = podPorts(pod);
  const { qosControls, notes: qosNotes } = podQos(pod);
  return {
    pod: `${pod.namespace}/${pod.name}`,
    labels: podLabels(pod),
    generateName: pod.generateName || undefined,
    serviceAccountName: pod.serviceAccountName || undefined,
    profiles: podProfiles(pod),
    ports,
    qosControls,
    allowedSourcePrefixes: allowedSourcePrefixes(pod),
    floatingIps: floatingIps(pod),
    mac: podMac(pod),
    ipv4Pools: podPools(pod, namespace, 4),
    ipv6Pools: podPools(pod, namespace, 6),
    families: podFamilies(pod, namespace),
    addresses: requestedAddresses(pod),
    notes: [...notes, ...qosNotes],
  };
}
