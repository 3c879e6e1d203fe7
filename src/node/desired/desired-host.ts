/** What the kernel of this host shall hold: the answer of the calculation and the question to the reconciler. Pure types. */

import type { Cidr, IpNetwork } from '../../base/cidr.ts';
import type { IpAddress, IpFamily } from '../../base/ip-address.ts';
import type { MacAddress } from '../../base/mac-address.ts';
import type { PerFamily } from '../cluster.ts';
import type { Finding } from '../finding.ts';
import type { HostRoute } from '../host-route.ts';

export const VXLAN_DEVICES: PerFamily<string> = { 4: 'vxlan.calico', 6: 'vxlan-v6.calico' };
/** The kernel makes it when the module is loaded, and never takes it away. */
export const IPIP_DEVICE = 'tunl0';

export interface VxlanDevice {
  readonly name: string;
  readonly vni: number;
  /** UDP. */
  readonly port: number;
  /** Source of the outer packets: the address of our Node. */
  readonly local: IpAddress;
  readonly parent: { readonly name: string; readonly ifIndex: number };
  readonly mac: MacAddress;
  readonly mtu: number;
  /** Our tunnel address, as /32 or /128. */
  readonly address: IpNetwork;
  /** The kernel makes checksums of what it sends there wrong if it leaves them to the device. */
  readonly isOffloadBroken: boolean;
}

export interface IpipDevice {
  readonly name: string;
  readonly mtu: number;
  /** `undefined`: none is allocated yet. */
  readonly address: IpNetwork | undefined;
}

/**
 * - `present`: as described
 * - `absent`: no pool needs it
 * - `keep`: pools need it, but it is not known how it must be: what is there stays, nothing is made
 */
export type DeviceWish<Device> =
  | { readonly want: 'present'; readonly device: Device }
  | { readonly want: 'absent' }
  | { readonly want: 'keep' };

/** A permanent entry, tunnel address → MAC. */
export interface HostNeighbour {
  readonly device: string;
  readonly address: IpAddress;
  readonly mac: MacAddress;
}

/** A permanent entry of the device itself, MAC → address of the peer's host. */
export interface FdbEntry {
  readonly device: string;
  readonly mac: MacAddress;
  readonly remote: IpAddress;
}

export interface HostSysctl {
  /** Below /proc/sys, with slashes. */
  readonly key: string;
  readonly value: string;
  readonly onFailure: 'fail' | 'warn';
}

export interface PortRange {
  readonly first: number;
  readonly last: number;
}

/** What leaves with the host's address instead of the pod's. */
export interface HostNat {
  readonly family: IpFamily;
  /** Packets from here are masqueraded … */
  readonly masqueraded: readonly Cidr[];
  /** … unless they go here: every pool, and if so configured the addresses of the nodes. None lies in another. */
  readonly excluded: readonly Cidr[];
  /** Only on interfaces of these names, `*` standing for any end; empty: on all. */
  readonly outInterfaces: readonly string[];
  /** Source ports of TCP and UDP; `undefined`: any. */
  readonly ports: PortRange | undefined;
  /** Instead of that of the interface the packet leaves through. */
  readonly address: IpAddress | undefined;
  /** What the host itself sends here with an address of another interface gets the one of the device. */
  readonly tunnels: readonly NatTunnel[];
}

/** UDP gets its source port from the range, where there is one: replies to another would be taken for tunnelled packets. */
export interface NatTunnel {
  readonly device: string;
  readonly udpPorts: PortRange | undefined;
}

export interface DesiredHost {
  /** Why nothing must be changed now; `undefined`: all that follows holds. */
  readonly frozen: string | undefined;
  /** Why so little is wanted that it should be read a second time before anything is removed. */
  readonly doubt: string | undefined;
  readonly vxlan: PerFamily<DeviceWish<VxlanDevice>>;
  readonly ipip: DeviceWish<IpipDevice>;
  readonly neighbours: readonly HostNeighbour[];
  readonly fdb: readonly FdbEntry[];
  /** No two have one key. */
  readonly routes: readonly HostRoute[];
  /** To the pods of this node, as the CNI plugin writes them: only for those that have no route any more. */
  readonly podRoutes: readonly HostRoute[];
  readonly sysctls: readonly HostSysctl[];
  readonly nat: PerFamily<HostNat>;
  /** Every pool, which tells our addresses on a shared device from others'. */
  readonly poolCidrs: readonly Cidr[];
  /** Content of the file that the CNI plugin reads, `1450`: what new pods get. */
  readonly mtuFile: string;
  readonly findings: readonly Finding[];
}
