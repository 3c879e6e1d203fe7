/** What the kernel of this host holds, of all that the agent compares. Pure types. */

import type { IpNetwork } from '../../base/cidr.ts';
import type { IpAddress } from '../../base/ip-address.ts';
import type { MacAddress } from '../../base/mac-address.ts';
import type { FdbEntry, HostNeighbour } from '../desired/desired-host.ts';
import type { HostRoute } from '../host-route.ts';

/** How a VXLAN device was made. All of it stays as it is until the device is made anew. */
export interface ObservedVxlan {
  readonly vni: number;
  readonly port: number;
  readonly local: IpAddress | undefined;
  /** `undefined`: none. */
  readonly parentIfIndex: number | undefined;
  readonly isLearning: boolean;
  /** Group policy, L2-miss or external mode, or a multicast group: what a device of ours never has. */
  readonly hasForeignFlags: boolean;
}

export interface ObservedLink {
  readonly name: string;
  readonly ifIndex: number;
  readonly kind: string | undefined;
  readonly mac: MacAddress | undefined;
  readonly mtu: number;
  /** Set up by the administrator (IFF_UP), whatever the carrier. */
  readonly isUp: boolean;
  /** Of a link of kind `vxlan`. */
  readonly vxlan: ObservedVxlan | undefined;
  /** Whether it leaves the checksums of what it sends to those below; `undefined`: not known. */
  readonly offloadsChecksums?: boolean | undefined;
}

export interface ObservedAddress {
  readonly device: string;
  readonly network: IpNetwork;
  readonly scope: 'global' | 'link';
}

export interface ObservedHost {
  /** Those named as our devices, whatever they are; others may be left out. */
  readonly links: readonly ObservedLink[];
  /** Of our devices. */
  readonly addresses: readonly ObservedAddress[];
  /** The permanent ones of our devices. */
  readonly neighbours: readonly HostNeighbour[];
  /** The permanent ones of our devices themselves. */
  readonly fdb: readonly FdbEntry[];
  /** Of the main table, both families, whoever wrote them. */
  readonly routes: readonly HostRoute[];
  /** By key below /proc/sys; one that is missing could not be read. */
  readonly sysctls: ReadonlyMap<string, string>;
}
