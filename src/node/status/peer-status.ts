/** The other nodes as this one reaches them. Pure. */

import type { Cidr } from '../../base/cidr.ts';
import { formatIpAddress, type IpAddress } from '../../base/ip-address.ts';
import { type ClusterNode, type ClusterState, FAMILIES } from '../cluster.ts';
import { type DesiredHost, IPIP_DEVICE, VXLAN_DEVICES } from '../desired/desired-host.ts';
import { hostAddressOf } from '../desired/peers.ts';
import type { HostRoute } from '../host-route.ts';

export type PeerMode = 'direct' | 'VXLAN' | 'IPIP';

export interface PeerStatus {
  readonly name: string;
  readonly addresses: readonly string[];
  /** How its pods are reached: by one of them, or by several if pools differ; none where it has no pods. */
  readonly modes: readonly PeerMode[];
  /** Of its VXLAN and IPIP devices. */
  readonly tunnelAddresses: readonly string[];
  readonly blocks: number;
  readonly routes: number;
  /** Why some of its pods may not be reached. */
  readonly problem?: string;
}

interface OwnedBlocks {
  readonly count: number;
  /** How many of them there is a route to. */
  readonly routed: number;
}

interface Reached {
  readonly modes: Set<PeerMode>;
  routes: number;
}

/** By name, those without a Node that own blocks among them. */
export function peerStatuses(cluster: ClusterState, desired: DesiredHost | undefined): readonly PeerStatus[] {
  const blocks = blocksByOwner(cluster, desired?.routes ?? []);
  const reached = reachedPeers(cluster, desired?.routes ?? []);
  const duplicates = new Set(
    (desired?.findings ?? [])
      .filter(({ kind }) => kind === 'duplicate-address')
      .map(({ subject }) => subject),
  );
  return [...new Set([...cluster.nodes.keys(), ...blocks.keys()])]
    .filter((name) => name !== cluster.nodeName)
    .toSorted()
    .map((name) => {
      const node = cluster.nodes.get(name);
      const { modes = new Set<PeerMode>(), routes = 0 } = reached.get(name) ?? {};
      const owned = blocks.get(name) ?? { count: 0, routed: 0 };
      const problem = problemOf(node, owned, duplicates.has(name));
      return {
        ...{ name, addresses: hostAddresses(node), modes: [...modes].toSorted() },
        ...{ tunnelAddresses: tunnelAddresses(node), blocks: owned.count, routes },
        ...(problem === undefined ? {} : { problem }),
      };
    });
}

function problemOf(
  node: ClusterNode | undefined,
  { count, routed }: OwnedBlocks,
  isDuplicate: boolean,
): string | undefined {
  if (node === undefined) return 'no Node in the datastore';
  if (isDuplicate) return "one of its addresses is another node's";
  if (hostAddresses(node).length === 0) return 'its Node has no address';
  return routed < count ? `${count - routed} of its ${count} blocks are not routed` : undefined;
}

function blocksByOwner(
  { blocks }: ClusterState,
  routes: readonly HostRoute[],
): ReadonlyMap<string, OwnedBlocks> {
  const routed = new Set(routes.map(({ destination }) => cidrKey(destination)));
  const owned = new Map<string, OwnedBlocks>();
  for (const { owner, cidr } of blocks.values()) {
    if (owner === undefined) continue;
    const { count, routed: before } = owned.get(owner) ?? { count: 0, routed: 0 };
    owned.set(owner, { count: count + 1, routed: before + Number(routed.has(cidrKey(cidr))) });
  }
  return owned;
}

function cidrKey({ family, base, prefixLength }: Cidr): string {
  return `${family} ${base}/${prefixLength}`;
}

/** Whoever the gateway is; a route to a tunnel address itself has none. */
function reachedPeers(cluster: ClusterState, routes: readonly HostRoute[]): ReadonlyMap<string, Reached> {
  const names = namesByAddress(cluster);
  const reached = new Map<string, Reached>();
  for (const { type, gateway, destination, device } of routes) {
    if (type !== 'unicast') continue;
    const end = gateway ?? { family: destination.family, value: destination.base };
    const name = names.get(addressKey(end));
    if (name === undefined || name === cluster.nodeName) continue;
    const peer = reached.getOrInsertComputed(name, () => ({ modes: new Set(), routes: 0 }));
    peer.modes.add(modeOf(device));
    peer.routes += 1;
  }
  return reached;
}

/** Of two nodes with one address the first by name, as routes have it. */
function namesByAddress({ nodes }: ClusterState): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  for (const node of Array.from(nodes.values()).toSorted((a, b) => (a.name < b.name ? -1 : 1)))
    for (const family of FAMILIES) {
      const own = node.families[family];
      for (const address of [hostAddressOf(own), own.vxlanAddress])
        if (address !== undefined) names.getOrInsert(addressKey(address), node.name);
    }
  return names;
}

function addressKey({ family, value }: IpAddress): string {
  return `${family} ${value}`;
}

function modeOf(device: string | undefined): PeerMode {
  if (device === IPIP_DEVICE) return 'IPIP';
  return Object.values(VXLAN_DEVICES).some((name) => name === device) ? 'VXLAN' : 'direct';
}

export function hostAddresses(node: ClusterNode | undefined): readonly string[] {
  return formatAll(FAMILIES.map((family) => node && hostAddressOf(node.families[family])));
}

export function tunnelAddresses(node: ClusterNode | undefined): readonly string[] {
  return formatAll([...FAMILIES.map((family) => node?.families[family].vxlanAddress), node?.ipipAddress]);
}

function formatAll(addresses: readonly (IpAddress | undefined)[]): readonly string[] {
  return addresses.filter((address) => address !== undefined).map(formatIpAddress);
}
