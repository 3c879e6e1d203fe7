/** The nodes of the cluster in one family, as this node sees them. Pure. */

import { type Cidr, cidrOf, containsAddress } from '../../base/cidr.ts';
import { formatIpAddress, type IpAddress, type IpFamily } from '../../base/ip-address.ts';
import type { MacAddress } from '../../base/mac-address.ts';
import type { ClusterNode, ClusterState, NodeFamily } from '../cluster.ts';
import type { Finding } from '../finding.ts';

/** The far end of a VXLAN tunnel; nothing of it can be missing. */
export interface Vtep {
  readonly address: IpAddress;
  readonly mac: MacAddress;
  /** The address of the host, where the outer packets go. */
  readonly remote: IpAddress;
}

export interface Peer {
  readonly name: string;
  /** `undefined`: unknown, or another node's. */
  readonly hostAddress: IpAddress | undefined;
  readonly vtep: Vtep | undefined;
  /** In our subnet, by the mask in our own Node: every node decides for itself. */
  readonly isSameSubnet: boolean;
  /** Whether it thinks so of us. */
  readonly seesUsInSubnet: boolean;
  /** In a network of the interface that carries our address. */
  readonly isOnLink: boolean;
}

export interface Peers {
  /** All nodes but ours, by name. */
  readonly byName: ReadonlyMap<string, Peer>;
  readonly findings: readonly Finding[];
}

/** The address of the host that routes lead to. */
export function hostAddressOf(node: NodeFamily): IpAddress | undefined {
  return node.hostNetwork?.address ?? node.fallbackAddress;
}

/** The subnet of a node by the mask in its Node. */
export function subnetOf(node: NodeFamily | undefined): Cidr | undefined {
  const network = node?.hostNetwork;
  return network === undefined ? undefined : cidrOf(network.address, network.prefixLength);
}

/**
 * What two nodes claim is the first one's by name, as Calico has it on every node; ours is ours. The other is then one
 * that lacks it: traffic to its pods would end at the wrong node.
 */
export function peersOf(cluster: ClusterState, family: IpFamily, onLink: readonly Cidr[]): Peers {
  const own = cluster.nodes.get(cluster.nodeName)?.families[family];
  const claims = openClaims();
  const byName = new Map<string, Peer>();
  for (const node of inOrder(cluster)) {
    const theirs = node.families[family];
    const held = claimAll(node.name, theirs, claims);
    if (node.name === cluster.nodeName) continue;
    byName.set(node.name, {
      name: node.name,
      ...held,
      isSameSubnet: contains(subnetOf(own), held.hostAddress),
      seesUsInSubnet: contains(subnetOf(theirs), own?.hostNetwork?.address),
      isOnLink: onLink.some((network) => contains(network, held.hostAddress)),
    });
  }
  return { byName, findings: claims.findings };
}

function inOrder({ nodes, nodeName }: ClusterState): readonly ClusterNode[] {
  const isOwn = (node: ClusterNode) => Number(node.name === nodeName);
  return Array.from(nodes.values()).toSorted((a, b) => isOwn(b) - isOwn(a) || (a.name < b.name ? -1 : 1));
}

function contains(cidr: Cidr | undefined, address: IpAddress | undefined): boolean {
  return cidr !== undefined && address !== undefined && containsAddress(cidr, address);
}

function claimAll(name: string, node: NodeFamily, claims: Claims): Pick<Peer, 'hostAddress' | 'vtep'> {
  const address = hostAddressOf(node);
  if (address === undefined || !claims.claim(name, 'host address', address))
    return { hostAddress: undefined, vtep: undefined };
  return { hostAddress: address, vtep: claimVtep(name, node, claims) };
}

/** VXLAN needs the address that is written for BGP: without it other nodes would refuse the packets. */
function claimVtep(name: string, node: NodeFamily, claims: Claims): Vtep | undefined {
  const { hostNetwork, vxlanAddress, vxlanMac } = node;
  if (hostNetwork === undefined || vxlanAddress === undefined) return undefined;
  const isOurs =
    claims.claim(name, 'VXLAN tunnel address', vxlanAddress) &&
    claims.claim(name, 'MAC of its VXLAN device', vxlanMac);
  return isOurs ? { address: vxlanAddress, mac: vxlanMac, remote: hostNetwork.address } : undefined;
}

/** Who came first with a value. */
interface Claims {
  readonly findings: readonly Finding[];
  /** Whether the value is the node's; a finding when it is another's. */
  claim(name: string, what: string, value: IpAddress | MacAddress): boolean;
}

function openClaims(): Claims {
  const holders = new Map<string, string>();
  const findings: Finding[] = [];
  const claim: Claims['claim'] = (name, what, value) => {
    const isMac = typeof value === 'string';
    const holder = holders.getOrInsert(`${what} ${isMac ? value : value.value}`, name);
    if (holder !== name) findings.push(duplicate(name, holder, what, isMac ? value : formatIpAddress(value)));
    return holder === name;
  };
  return { findings, claim };
}

function duplicate(name: string, holder: string, what: string, value: string): Finding {
  return {
    kind: 'duplicate-address',
    severity: 'error',
    subject: name,
    message:
      `nodes ${holder} and ${name} both have ${value} as ${what}: it is taken as that of ${holder}, and pods of ` +
      `${name} are not reached. Correct the Node of the one that has not.`,
  };
}
