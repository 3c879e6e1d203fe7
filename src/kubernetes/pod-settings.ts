/** What a pod and its namespace say about the pod's endpoint and its addresses. Pure. */

import type { IpAddress, IpFamily } from '../base/ip-address.ts';
import type { MacAddress } from '../base/mac-address.ts';
import type { EndpointSettings } from '../workload/endpoint-settings.ts';
import type { Namespace, Pod } from './objects.ts';

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

/** At most one address per family; those that are asked for are never empty. */
export type RequestedAddresses =
  | { readonly from: 'automatic' }
  /** These, from the pools. */
  | { readonly from: 'ipAddrs'; readonly addresses: readonly IpAddress[] }
  /** These, wherever they come from: no pool is asked. */
  | { readonly from: 'ipAddrsNoIpam'; readonly addresses: readonly IpAddress[] };

/** Throws `config` for an annotation that cannot be understood: it names the annotation, its value and the pod. */
export function podSettings(pod: Pod, namespace: Namespace): PodSettings {
  throw new Error(`to do: ${pod.name} ${namespace.name}`);
}

/** What the settings of a pod must be checked against. */
export interface Permissions {
  /** Name of the IPAM plugin. */
  readonly ipamType: string;
  readonly features: { readonly ipAddrsNoIpam: boolean; readonly floatingIps: boolean };
}

/** Throws `config` where the pod asks for what the network configuration does not allow. */
export function requireAllowed(settings: PodSettings, permissions: Permissions): void {
  throw new Error(`to do: ${settings.pod} ${permissions.ipamType}`);
}
