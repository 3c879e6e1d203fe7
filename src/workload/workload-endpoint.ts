/** Calico's record of a workload's interface: what Felix programs and `calicoctl get wep` lists. Pure. */

import type { Cidr, IpNetwork } from '../base/cidr.ts';
import type { EndpointPort, IpNat } from './endpoint-settings.ts';
import type { QosControls } from './qos-controls.ts';

export interface WorkloadEndpoint {
  readonly name: string;
  readonly namespace: string;
  readonly generateName: string | undefined;
  readonly uid: string;
  /** RFC 3339, whole seconds. */
  readonly creationTimestamp: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly orchestrator: string;
  readonly nodeName: string;
  readonly containerId: string | undefined;
  readonly podName: string | undefined;
  /** The interface's name in the sandbox it was first made with. */
  readonly endpoint: string;
  readonly serviceAccountName: string | undefined;
  /** Each a /32 or /128. */
  readonly ipNetworks: readonly IpNetwork[];
  readonly profiles: readonly string[];
  /** Name of the host end. */
  readonly interfaceName: string;
  /** Of the end in the sandbox. */
  readonly mac: string | undefined;
  /** `undefined`, here and in the next three: written in another form than ours, and kept in `otherSpec` as it is. */
  readonly ports: readonly EndpointPort[] | undefined;
  readonly ipNats: readonly IpNat[] | undefined;
  readonly allowedSourcePrefixes: readonly Cidr[] | undefined;
  /** Empty: nothing is limited. */
  readonly qosControls: QosControls | undefined;
  /** Fields this program does not interpret, written back as they came. */
  readonly otherMetadata: Readonly<Record<string, unknown>>;
  readonly otherSpec: Readonly<Record<string, unknown>>;
}

/** A pod keeps its endpoint when it gets a new sandbox; the endpoint then is the new container's. */
export function isOfContainer(endpoint: WorkloadEndpoint, containerId: string): boolean {
  return endpoint.containerId === undefined || endpoint.containerId === containerId;
}
