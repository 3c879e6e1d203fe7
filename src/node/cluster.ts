/** What the agent knows of the cluster at one revision: the records it needs, and of those the parts it needs. Pure. */

import type { Cidr, IpNetwork } from '../base/cidr.ts';
import type { IpAddress, IpFamily } from '../base/ip-address.ts';
import type { MacAddress } from '../base/mac-address.ts';

/** One value for IPv4 and one for IPv6, which are independent everywhere. */
export type PerFamily<T> = Readonly<Record<IpFamily, T>>;

export const FAMILIES: readonly IpFamily[] = [4, 6];

/** What a Node says about one family. */
export interface NodeFamily {
  /** `bgp.ipv4Address` with its mask, host bits kept; a /32 or /128 when it was written without one. */
  readonly hostNetwork: IpNetwork | undefined;
  /** The first InternalIP of `addresses`, else the first ExternalIP: for routes, when there is no BGP address. */
  readonly fallbackAddress: IpAddress | undefined;
  /** `ipv4VXLANTunnelAddr`, which the node's VXLAN device carries. */
  readonly vxlanAddress: IpAddress | undefined;
  /** Of the node's VXLAN device: `vxlanTunnelMACAddr`, or made from the name. */
  readonly vxlanMac: MacAddress;
}

export interface ClusterNode {
  readonly name: string;
  readonly families: PerFamily<NodeFamily>;
  /** `bgp.ipv4IPIPTunnelAddr`. */
  readonly ipipAddress: IpAddress | undefined;
}

/** When traffic to the pods of a pool is encapsulated: always, or only to nodes of another subnet. */
export type EncapsulationMode = 'Always' | 'CrossSubnet' | 'Never';

export interface ClusterPool {
  readonly name: string;
  readonly cidr: Cidr;
  readonly vxlanMode: EncapsulationMode;
  readonly ipipMode: EncapsulationMode;
  readonly natOutgoing: boolean;
  /** A disabled pool gives no new addresses; its routes and its part in NAT stay. */
  readonly isDisabled: boolean;
  /** Empty: everything. Only `LoadBalancer`: no node holds its addresses, so it is not routed. */
  readonly allowedUses: readonly string[];
}

/** An allocated address of a block whose holder is not the block's owner. */
export interface BorrowedAddress {
  readonly address: IpAddress;
  /** `undefined`: its attributes name no node. */
  readonly nodeName: string | undefined;
}

export interface ClusterBlock {
  readonly cidr: Cidr;
  /** The node of its affinity `host:…`; `undefined` when nobody claims it, or an owner that is no node. */
  readonly owner: string | undefined;
  /** Claimed by `virtual:…`: a load balancer, say, whose addresses are on no node. */
  readonly isVirtual: boolean;
  /** By ordinal. */
  readonly borrowed: readonly BorrowedAddress[];
}

/** A workload endpoint of this node. */
export interface LocalEndpoint {
  /** Name of the host end, `cali…`. */
  readonly interfaceName: string;
  readonly addresses: readonly IpAddress[];
}

/** The `spec` of a FelixConfiguration or a BGPConfiguration as it came: `felix-settings.ts` reads it. */
export type SettingFields = Readonly<Record<string, unknown>>;

/** Why a record could not be read. While it is here, its last good version is still used, if there was one. */
export interface UnreadableRecord {
  readonly reason: string;
  readonly isLastGoodVersionUsed: boolean;
}

export interface ClusterState {
  /** The node this agent runs on. */
  readonly nodeName: string;
  /** By name. */
  readonly nodes: ReadonlyMap<string, ClusterNode>;
  /** By name. */
  readonly pools: ReadonlyMap<string, ClusterPool>;
  /** By the key of the record. */
  readonly blocks: ReadonlyMap<string, ClusterBlock>;
  /**
   * How many addresses this node holds in each of its own blocks, by the key of the record. Others' are not counted: a
   * change of theirs would be a change of the state for every node.
   */
  readonly ownAllocations: ReadonlyMap<string, number>;
  /** Endpoints of this node, by the key of the record. */
  readonly endpoints: ReadonlyMap<string, LocalEndpoint>;
  /** FelixConfiguration `default` and `node.<our name>`, by name. */
  readonly felix: ReadonlyMap<string, SettingFields>;
  /** Settings of the environment (`FELIX_…`) by the names that a FelixConfiguration has for them: they go first. */
  readonly felixOverrides: SettingFields;
  /** BGPConfiguration `default`. */
  readonly bgp: SettingFields | undefined;
  /** False while ClusterInformation is missing or forbids all work. */
  readonly isDatastoreReady: boolean;
  /** By the key of the record. */
  readonly unreadable: ReadonlyMap<string, UnreadableRecord>;
}

/** A cluster of which nothing is known yet. */
export function unknownCluster(nodeName: string, felixOverrides: SettingFields = {}): ClusterState {
  return {
    nodeName,
    nodes: new Map(),
    pools: new Map(),
    blocks: new Map(),
    ownAllocations: new Map(),
    endpoints: new Map(),
    felix: new Map(),
    felixOverrides,
    bgp: undefined,
    isDatastoreReady: false,
    unreadable: new Map(),
  };
}

/** Whether the two may ask for different things in the kernel. */
export function isOtherForKernel(before: ClusterState, after: ClusterState): boolean {
  return TABLES_FOR_KERNEL.some((name) => before[name] !== after[name]);
}

/** All but `ownAllocations`. */
const TABLES_FOR_KERNEL = [
  ...(['nodeName', 'nodes', 'pools', 'blocks', 'endpoints'] as const),
  ...(['felix', 'felixOverrides', 'bgp', 'isDatastoreReady', 'unreadable'] as const),
] satisfies readonly (keyof ClusterState)[];
