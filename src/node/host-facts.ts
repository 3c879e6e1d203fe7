/** What is known of the host the agent runs on, beside what the agent itself keeps there. Pure. */

import type { IpNetwork } from '../base/cidr.ts';
import { type IpAddress, sameAddress } from '../base/ip-address.ts';
import type { MacAddress } from '../base/mac-address.ts';

export interface HostLink {
  readonly name: string;
  readonly ifIndex: number;
  readonly mac: MacAddress | undefined;
  readonly mtu: number;
  /** Operational state: set up, and with a carrier. */
  readonly isUp: boolean;
  /** `vxlan`, `veth`, …; `undefined` for hardware. */
  readonly kind: string | undefined;
}

export interface HostAddress {
  readonly ifIndex: number;
  readonly network: IpNetwork;
}

export interface HostFacts {
  readonly links: readonly HostLink[];
  readonly addresses: readonly HostAddress[];
  /** Whether the kernel can make devices of the kind: built in, loaded or loadable. */
  readonly modules: { readonly vxlan: boolean; readonly ipip: boolean };
  /** `net.ipv4.conf.all.rp_filter`: 0 off, 1 strict, 2 loose. */
  readonly rpFilter: number;
  /** Whether rules are there by which Felix lets tunnelled packets of the nodes in that it knew. */
  readonly hasFelixFilter?: boolean;
  readonly isFelixRunning: boolean;
  readonly isBirdRunning: boolean;
}

/** Interfaces of pods, as the CNI plugin names them. */
const POD_INTERFACES = /^cali/;

/** The same without what comes and goes with pods. */
export function withoutPods(facts: HostFacts): HostFacts {
  const links = facts.links.filter(({ name }) => !POD_INTERFACES.test(name));
  const indexes = new Set(links.map(({ ifIndex }) => ifIndex));
  return { ...facts, links, addresses: facts.addresses.filter(({ ifIndex }) => indexes.has(ifIndex)) };
}

/** The interface that carries the address: of several the one that is up, then the one with the lowest index. */
export function parentLink(facts: HostFacts, address: IpAddress): HostLink | undefined {
  const indexes = new Set(
    facts.addresses
      .filter(({ network }) => sameAddress(network.address, address))
      .map(({ ifIndex }) => ifIndex),
  );
  return facts.links
    .filter(({ ifIndex }) => indexes.has(ifIndex))
    .toSorted((a, b) => Number(b.isUp) - Number(a.isUp) || a.ifIndex - b.ifIndex)[0];
}

/** The address with the mask that it has on the interface. */
export function networkOn(link: HostLink, facts: HostFacts, address: IpAddress): IpNetwork | undefined {
  return facts.addresses.find(
    ({ ifIndex, network }) => ifIndex === link.ifIndex && sameAddress(network.address, address),
  )?.network;
}
