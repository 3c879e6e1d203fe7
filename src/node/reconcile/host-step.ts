/** One change of the host's kernel, as data: decided by `plan.ts`, printed by `format-step.ts`. Pure types. */

import type { IpNetwork } from '../../base/cidr.ts';
import type { MacAddress } from '../../base/mac-address.ts';
import type { FdbEntry, HostNeighbour, HostSysctl, VxlanDevice } from '../desired/desired-host.ts';
import type { HostRoute } from '../host-route.ts';

/** Made with its MAC and its MTU, down and without its address. */
export interface CreateVxlan {
  readonly do: 'create-vxlan';
  readonly device: VxlanDevice;
}

/** Loads the kernel module, which makes the device. */
export interface CreateIpip {
  readonly do: 'create-ipip';
  readonly device: string;
}

export interface DeleteLink {
  readonly do: 'delete-link';
  readonly device: string;
  readonly ifIndex: number;
}

/** Takes all neighbour entries of the device away. */
export interface SetMac {
  readonly do: 'set-mac';
  readonly device: string;
  readonly mac: MacAddress;
}

export interface SetMtu {
  readonly do: 'set-mtu';
  readonly device: string;
  readonly mtu: number;
}

export interface SetUp {
  readonly do: 'set-up';
  readonly device: string;
}

/** The kernel computes the checksums of what it sends there. Nobody is told to leave it to the device again. */
export interface StopOffload {
  readonly do: 'stop-offload';
  readonly device: string;
}

export interface ChangeAddress {
  readonly do: 'add-address' | 'delete-address';
  readonly device: string;
  readonly network: IpNetwork;
}

export interface ChangeNeighbour {
  readonly do: 'replace-neighbour' | 'delete-neighbour';
  readonly neighbour: HostNeighbour;
}

export interface ChangeFdb {
  readonly do: 'replace-fdb' | 'delete-fdb';
  readonly entry: FdbEntry;
}

/** A route is deleted by its key and its protocol, so that another's in its place is not hit. */
export interface ChangeRoute {
  readonly do: 'replace-route' | 'delete-route';
  readonly route: HostRoute;
}

export interface WriteSysctl {
  readonly do: 'write-sysctl';
  readonly sysctl: HostSysctl;
}

export type HostStep =
  | CreateVxlan
  | CreateIpip
  | DeleteLink
  | SetMac
  | SetMtu
  | SetUp
  | StopOffload
  | ChangeAddress
  | ChangeNeighbour
  | ChangeFdb
  | ChangeRoute
  | WriteSysctl;
