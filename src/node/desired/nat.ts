/** What leaves with the host's own address. Pure. */

import { type Cidr, containsAddress, containsCidr, hostCidr } from '../../base/cidr.ts';
import type { IpAddress, IpFamily } from '../../base/ip-address.ts';
import type { ClusterPool, ClusterState } from '../cluster.ts';
import type { FelixSettings } from '../felix-settings.ts';
import type { HostNat, PortRange } from './desired-host.ts';
import { hostAddressOf } from './peers.ts';

const MAX_PORT = 65_535;

/** `pools`: those whose addresses are on nodes. Disabled ones count, which is how ranges are exempted from NAT. */
export function desiredNat(
  cluster: ClusterState,
  family: IpFamily,
  pools: readonly ClusterPool[],
  settings: FelixSettings,
  devices: readonly { readonly name: string; readonly isVxlan: boolean }[],
): HostNat {
  const hosts = settings.excludesHostsFromNat ? hostCidrs(cluster, family) : [];
  return {
    family,
    masqueraded: disjoint(pools.filter(({ natOutgoing }) => natOutgoing).map(({ cidr }) => cidr)),
    excluded: disjoint([...pools.map(({ cidr }) => cidr), ...hosts]),
    outInterfaces: settings.natInterfaces,
    ports: settings.natPorts,
    address: settings.natAddress?.family === family ? settings.natAddress : undefined,
    tunnels: devices.map(({ name, isVxlan }) => ({
      device: name,
      udpPorts: isVxlan ? portsBeside(settings.vxlanPort) : undefined,
    })),
  };
}

/** Whether a packet from a pod gets the host's address on an interface that {@link HostNat.outInterfaces} allows. */
export function isMasqueraded(nat: HostNat, source: IpAddress, destination: IpAddress): boolean {
  const isIn = (cidrs: readonly Cidr[], address: IpAddress) =>
    cidrs.some((cidr) => containsAddress(cidr, address));
  return isIn(nat.masqueraded, source) && !isIn(nat.excluded, destination);
}

/** Never the port of VXLAN itself as a source port: replies to it would be taken for tunnelled packets. */
function portsBeside(vxlanPort: number): PortRange {
  return vxlanPort < MAX_PORT
    ? { first: vxlanPort + 1, last: MAX_PORT }
    : { first: 1024, last: MAX_PORT - 1 };
}

function hostCidrs(cluster: ClusterState, family: IpFamily): readonly Cidr[] {
  return Array.from(cluster.nodes.values(), (node) => hostAddressOf(node.families[family]))
    .filter((address) => address !== undefined)
    .map(hostCidr);
}

/** Sorted, and without those that lie in another: the kernel's sets of intervals refuse overlaps. */
function disjoint(cidrs: readonly Cidr[]): readonly Cidr[] {
  const kept: Cidr[] = [];
  const inOrder = cidrs.toSorted((a, b) =>
    a.base === b.base ? a.prefixLength - b.prefixLength : a.base < b.base ? -1 : 1,
  );
  for (const cidr of inOrder)
    if (!kept.slice(-1).some((previous) => containsCidr(previous, cidr))) kept.push(cidr);
  return kept;
}
