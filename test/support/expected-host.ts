/**
 * What an agent must have put into the kernel of its host, worked out a second time from the records: with none of the
 * agent's code, one family after the other, everything anew and nothing remembered.
 */

import {
  bitsOf,
  type ClusterPicture,
  clusterPicture,
  describeRanges,
  type Family,
  isInside,
  isWithin,
  numberOf,
  rangeOf,
} from './cluster-picture.ts';

/** What of a host the answer depends on. */
export interface HostFacts {
  readonly links: readonly { readonly name: string; readonly mtu: number; readonly isRunning: boolean }[];
  /** `10.50.0.11/24` on `eth0`. */
  readonly addresses: readonly { readonly device: string; readonly network: string }[];
}

/** Each thing a host has, `route 10.77.0.0/28`, and how it is: `via 10.77.0.0 dev vxlan.calico onlink mtu 1450`. */
export type HostPicture = ReadonlyMap<string, string>;

/** Settings that change what is expected here in ways that nobody has written down. */
const UNKNOWN_SETTINGS = [
  ...[
    'vxlanEnabled',
    'ipipEnabled',
    'mtuIfacePattern',
    'deviceRouteSourceAddress',
    'deviceRouteSourceAddressIPv6',
  ],
  ...['natPortRange', 'natOutgoingAddress', 'iptablesNATOutgoingInterfaceFilter', 'ipForwarding'],
];
const LIKE_HARDWARE = /^((en|wl|ww|sl|ib)[Pcopsvx].*|(eth|wlan|wwan).*)/;

/** Throws when a setting is used that is not known here. */
export function expectedHost(
  records: ReadonlyMap<string, string>,
  nodeName: string,
  facts: HostFacts,
): HostPicture {
  const both = ([4, 6] as const).map((family) => {
    const cluster = clusterPicture(records, nodeName, family);
    const unknown = UNKNOWN_SETTINGS.filter((name) => cluster.setting(name) !== undefined);
    if (unknown.length > 0) throw new Error(`this check does not know the settings ${unknown.join(', ')}`);
    return expectedFamily({ family, cluster, nodeName, facts });
  });
  return new Map(both.flat());
}

interface Question {
  readonly family: Family;
  readonly cluster: ClusterPicture;
  readonly nodeName: string;
  readonly facts: HostFacts;
}

type Entry = readonly [string, string];

function expectedFamily(question: Question): readonly Entry[] {
  const { family, cluster, nodeName, facts } = question;
  const own = cluster.nodes.find(({ name }) => name === nodeName);
  const ownAddress = own?.host?.[0] ?? own?.fallback;
  const parent = facts.addresses.find(({ network }) => network.split('/')[0] === ownAddress)?.device;
  const needsDevice = cluster.pools.some(({ mode }) => mode === 'vxlan');
  const hasDevice =
    needsDevice && own?.host !== undefined && own.tunnel !== undefined && parent !== undefined;
  const device = family === 4 ? 'vxlan.calico' : 'vxlan-v6.calico';
  const peers = peersOf(question);
  return [
    ...(cluster.pools.length > 0 ? forwarding(family) : []),
    ...(hasDevice ? deviceEntries(question, device, parent) : []),
    ...(hasDevice ? peers.flatMap((peer) => layer2(peer, device)) : []),
    ...routes(question, peers, parent, hasDevice ? device : undefined),
    ...nat(question, hasDevice ? device : undefined),
  ];
}

function forwarding(family: Family): readonly Entry[] {
  return [[`switch ${family === 4 ? 'net/ipv4/ip_forward' : 'net/ipv6/conf/all/forwarding'}`, '1']];
}

function deviceMtu({ family, cluster, facts }: Question): number {
  const configured = Number(cluster.setting(family === 4 ? 'vxlanMTU' : 'vxlanMTUV6') ?? 0);
  const mtus = facts.links
    .filter(({ name, isRunning }) => isRunning && LIKE_HARDWARE.test(name))
    .map(({ mtu }) => mtu);
  return configured || Math.min(...(mtus.length > 0 ? mtus : [1460])) - (family === 4 ? 50 : 70);
}

function deviceEntries(question: Question, device: string, parent: string): readonly Entry[] {
  const { family, cluster, nodeName } = question;
  const own = cluster.nodes.find(({ name }) => name === nodeName);
  const [vni, port] = [cluster.setting('vxlanVNI') ?? 4096, cluster.setting('vxlanPort') ?? 4789];
  return [
    [
      `device ${device}`,
      `up mtu ${deviceMtu(question)} mac ${own?.mac} vni ${vni} port ${port} local ${own?.host?.[0]} dev ${parent} nolearning`,
    ],
    [`address ${own?.tunnel}/${bitsOf(family)} on ${device}`, 'there'],
  ];
}

interface Peer {
  readonly name: string;
  readonly address: string;
  readonly isSameSubnet: boolean;
  readonly isOnLink: boolean;
  readonly tunnel: string | undefined;
  readonly mac: string;
}

/** An address, a tunnel address or a MAC that two nodes claim is ours, or the first one's by name. */
function peersOf({ cluster, nodeName, facts }: Question): readonly Peer[] {
  const own = cluster.nodes.find(({ name }) => name === nodeName);
  const taken = new Set<string | undefined>();
  const takes = (claim: string | undefined) =>
    claim !== undefined && !taken.has(claim) && taken.add(claim) !== undefined;
  const others = cluster.nodes.filter((node) => node !== own);
  const peers: Peer[] = [];
  const parents = facts.addresses.filter(
    ({ network }) => network.split('/')[0] === (own?.host?.[0] ?? own?.fallback),
  );
  const onLink = facts.addresses
    .filter(({ device }) => device === parents[0]?.device)
    .map(({ network }) => network);
  for (const node of own === undefined ? others : [own, ...others]) {
    const address = node.host?.[0] ?? node.fallback;
    if (!takes(address) || address === undefined) continue;
    const isVtep =
      node.host !== undefined && node.tunnel !== undefined && takes(node.tunnel) && takes(node.mac);
    if (node === own) continue;
    peers.push({
      ...{ name: node.name, address, mac: node.mac, tunnel: isVtep ? node.tunnel : undefined },
      isSameSubnet: own?.host !== undefined && isInside(address, own.host.join('/')),
      isOnLink: onLink.some((network) => isInside(address, network)),
    });
  }
  return peers;
}

function layer2({ tunnel, mac, address }: Peer, device: string): readonly Entry[] {
  if (tunnel === undefined) return [];
  return [
    [`neighbour ${tunnel} on ${device}`, mac],
    [`fdb ${mac} on ${device}`, `to ${address}`],
  ];
}

/** A borrowed address goes after the blocks, and so before a block of that one address. */
function routes(
  question: Question,
  peers: readonly Peer[],
  parent: string | undefined,
  device: string | undefined,
): readonly Entry[] {
  const { family, cluster, nodeName } = question;
  const single = `/${bitsOf(family)}`;
  const destinations = [
    ...cluster.blocks.map(({ cidr, owner }) => [cidr, owner] as const),
    ...cluster.blocks.flatMap(({ borrowed }) =>
      borrowed.map(([address, node]) => [address + single, node] as const),
    ),
  ];
  const found: Entry[] = [];
  const hosts = cluster.nodes.flatMap(({ host, fallback }) => host?.[0] ?? fallback ?? []).map(numberOf);
  for (const [cidr, node] of destinations) {
    const [first, last] = rangeOf(cidr);
    if (hosts.some((host) => host >= first && host <= last)) continue;
    const peer = peers.find(({ name }) => name === node);
    const way =
      node === nodeName ? blackhole(cidr, single) : peer && wayTo(cidr, peer, question, parent, device);
    const hasPool = cluster.pools.some((pool) => isWithin(cidr, pool.cidr));
    if (way !== undefined && hasPool) found.push([`route ${cidr}`, way]);
  }
  return family === 4 || device === undefined ? found : [...found, ...tunnelEnds(found, device)];
}

/** In IPv6 a gateway of the device needs a route through it. */
function tunnelEnds(routes: readonly Entry[], device: string): readonly Entry[] {
  return routes.flatMap(([, way]) => {
    const [, gateway, mtu] = new RegExp(`^via (.*) dev ${device} onlink (.*)$`).exec(way) ?? [];
    return gateway === undefined ? [] : [[`route ${gateway}/128`, `dev ${device} ${mtu}`] as const];
  });
}

function blackhole(cidr: string, single: string): string | undefined {
  return cidr.endsWith(single) ? undefined : 'blackhole';
}

function wayTo(
  cidr: string,
  { address, isSameSubnet, isOnLink, tunnel }: Peer,
  question: Question,
  parent: string | undefined,
  device: string | undefined,
): string | undefined {
  const pool = question.cluster.pools
    .filter((one) => isWithin(cidr, one.cidr))
    .toSorted((a, b) => Number(b.cidr.split('/')[1]) - Number(a.cidr.split('/')[1]))[0];
  const direct = parent === undefined ? undefined : `via ${address} dev ${parent} onlink`;
  if (pool?.mode === 'none') return isOnLink ? direct : undefined;
  if (pool?.isCrossSubnet && isSameSubnet) return direct;
  // No kernel here has IPIP.
  if (pool?.mode !== 'vxlan' || tunnel === undefined || device === undefined) return undefined;
  const mtu = `mtu ${deviceMtu(question)}`;
  if (cidr === `${tunnel}/${bitsOf(question.family)}`)
    return `dev ${device} ${question.family === 4 ? 'scope link ' : ''}${mtu}`;
  return `via ${tunnel} dev ${device} onlink ${mtu}`;
}

function nat({ family, cluster }: Question, device: string | undefined): readonly Entry[] {
  const hosts = cluster.nodes.flatMap(({ host, fallback }) => host?.[0] ?? fallback ?? []);
  const isWide = cluster.setting('natOutgoingExclusions') === 'IPPoolsAndHostIPs';
  const sources = cluster.pools.filter(({ natOutgoing }) => natOutgoing).map(({ cidr }) => cidr);
  const excluded = [
    ...cluster.pools.map(({ cidr }) => cidr),
    ...(isWide ? hosts.map((host) => `${host}/${bitsOf(family)}`) : []),
  ];
  const rules = [
    ...(sources.length > 0
      ? [
          `${family === 4 ? 'ip saddr' : 'ip6 saddr'} @masqueraded ${family === 4 ? 'ip daddr' : 'ip6 daddr'} != @excluded masquerade fully-random`,
        ]
      : []),
    ...(device === undefined ? [] : tunnelRules(device, Number(cluster.setting('vxlanPort') ?? 4789))),
  ];
  if (rules.length === 0) return [];
  return [
    [`rules of ip${family}`, rules.join('\n')],
    [`set masqueraded of ip${family}`, describeRanges(sources.map(rangeOf), family)],
    [`set excluded of ip${family}`, describeRanges(excluded.map(rangeOf), family)],
  ];
}

function tunnelRules(device: string, vxlanPort: number): readonly string[] {
  const packets = `oifname "${device}" fib saddr . oif type != local fib saddr type local`;
  return [
    `${packets} meta l4proto udp masquerade to :${vxlanPort + 1}-65535 fully-random`,
    `${packets} masquerade fully-random`,
  ];
}
