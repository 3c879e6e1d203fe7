/** Finds the address of this host among those of its interfaces. Pure. */

import { cidrOf, containsAddress, type IpNetwork } from '../../base/cidr.ts';
import { type IpAddress, type IpFamily, parseIpAddress, sameAddress } from '../../base/ip-address.ts';
import type { HostFacts } from '../host-facts.ts';
import type { DetectionMethod } from './detection-method.ts';

/** The interfaces and what is on them, in the kernel's order. */
export type HostInterfaces = Pick<HostFacts, 'addresses'> & {
  readonly links: readonly Pick<HostFacts['links'][number], 'name' | 'ifIndex'>[];
};

/** An address of this host with the mask that it has on its interface. */
export interface LocalAddress {
  readonly ifName: string;
  readonly network: IpNetwork;
}

/**
 * `outside`: what somebody else says is our address, for the methods that ask: the source of packets to the destination, or
 * the InternalIP. `undefined` when there is none. Interfaces are taken from the one with the highest index down, as
 * Calico does, whether they are up or not.
 */
export function detectAddress(
  method: DetectionMethod,
  family: IpFamily,
  host: HostInterfaces,
  outside: IpAddress | undefined,
): LocalAddress | undefined {
  const locals = localAddresses(host).filter(({ network }) => network.address.family === family);
  switch (method.by) {
    case 'interface':
      return locals.find(
        ({ ifName, network }) =>
          (method.matching.length === 0 || method.matching.some((regExp) => regExp.test(ifName))) &&
          !method.skipped.some((regExp) => regExp.test(ifName)) &&
          isGlobalUnicast(network.address),
      );
    case 'cidr':
      return locals.find(({ network }) =>
        method.cidrs.some((cidr) => containsAddress(cidr, network.address)),
      );
    case 'reach':
    case 'kubernetes':
      return locals.find(({ network }) => outside !== undefined && sameAddress(network.address, outside));
  }
}

/** The address as it is on an interface of this host; `undefined` when it is on none. */
export function findLocalAddress(host: HostInterfaces, address: IpAddress): LocalAddress | undefined {
  return localAddresses(host).find(({ network }) => sameAddress(network.address, address));
}

/** All addresses, from the interface with the highest index down. */
export function localAddresses({ links, addresses }: HostInterfaces): readonly LocalAddress[] {
  return links
    .toSorted((a, b) => b.ifIndex - a.ifIndex)
    .flatMap(({ name, ifIndex }) =>
      addresses
        .filter((address) => address.ifIndex === ifIndex)
        .map(({ network }) => ({ ifName: name, network })),
    );
}

/** What Go calls so: neither unspecified, loopback, link-local, multicast nor the broadcast address. */
const NEVER_GLOBAL = (
  [
    ['0.0.0.0', 32],
    ['127.0.0.0', 8],
    ['169.254.0.0', 16],
    ['224.0.0.0', 4],
    ['255.255.255.255', 32],
    ['::', 128],
    ['::1', 128],
    ['fe80::', 10],
    ['ff00::', 8],
  ] as const
).map(([text, length]) => cidrOf(parseIpAddress(text), length));

function isGlobalUnicast(address: IpAddress): boolean {
  return !NEVER_GLOBAL.some((cidr) => containsAddress(cidr, address));
}
