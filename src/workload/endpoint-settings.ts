/** What the owner of a workload, Kubernetes, decides of its endpoint. Pure. */

import type { Cidr } from '../base/cidr.ts';
import type { IpAddress } from '../base/ip-address.ts';
import type { QosControls } from './qos-controls.ts';

/** All of it: what is absent here shall be absent in the endpoint. */
export interface EndpointSettings {
  /** The workload's own; those that every endpoint has are added. */
  readonly labels: Readonly<Record<string, string>>;
  readonly generateName: string | undefined;
  readonly serviceAccountName: string | undefined;
  readonly ports: readonly EndpointPort[];
  readonly qosControls: QosControls;
  /** Networks it may send from besides its own addresses. */
  readonly allowedSourcePrefixes: readonly Cidr[];
  /** Addresses that lead to the workload from outside, each to its own address of that family. */
  readonly floatingIps: readonly IpAddress[];
}

/** A port that policy may name, or that is mapped on the host. */
export interface EndpointPort {
  /** Empty where it has none; then it has a host port. */
  readonly name: string;
  readonly protocol: 'TCP' | 'UDP' | 'SCTP';
  readonly port: number;
  /** 0: none. */
  readonly hostPort: number;
  /** Empty: every address of the host. */
  readonly hostIp: string;
}

/** An address of the workload, and one that leads to it from outside. */
export interface IpNat {
  readonly internalIp: IpAddress;
  readonly externalIp: IpAddress;
}

/** Those of a pod whose owner is not asked: none. */
export const NO_SETTINGS: EndpointSettings = {
  labels: {},
  generateName: undefined,
  serviceAccountName: undefined,
  ports: [],
  qosControls: {},
  allowedSourcePrefixes: [],
  floatingIps: [],
};
