/** What a pod's network shall be: the one input of the planner, and the names both ends go by. Pure types. */

import type { Cidr } from '../base/cidr.ts';
import type { IpAddress } from '../base/ip-address.ts';
import type { MacAddress } from '../base/mac-address.ts';

/** What joins pod and host: a pair of interfaces of this kind. */
export type DeviceType = 'veth' | 'netkit';

export interface PodNetwork {
  /** Path of the sandbox's network namespace, CNI_NETNS. */
  readonly netnsPath: string;
  /** What is asked for; where the kernel has no netkit, it becomes veth. */
  readonly deviceType: DeviceType;
  /** Name inside the sandbox, CNI_IFNAME. */
  readonly containerIfName: string;
  /** Name on the host, `cali…`. */
  readonly hostIfName: string;
  readonly containerMac: MacAddress;
  /** Bytes; `undefined` leaves the choice to the kernel. */
  readonly mtu: number | undefined;
  /** Transmit and receive queues of both ends, at least 1. */
  readonly queues: number;
  /** The pod's own addresses; each becomes a /32 or /128. */
  readonly addresses: readonly IpAddress[];
  /** Destinations the pod reaches through its gateway, normally `0.0.0.0/0` and `::/0`. */
  readonly routes: readonly Cidr[];
  readonly allowIpForwarding: boolean;
  /** Whether the host gets a route to each address. */
  readonly hostRoutes: boolean;
}

/** 169.254.1.1: the IPv4 gateway of every pod. */
export const POD_GATEWAY_V4: IpAddress = { family: 4, value: 0xa9fe0101n };
