/**
 * Whether the kernel of a host is exactly as the records of the cluster say: told by an implementation of its own, from
 * what `ip`, `bridge` and `nft` print.
 *
 *     expect(hostDifferences(await etcd.list('/calico/'), 'node1', host)).toEqual([]);
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { describeRanges, numberOf, plain, type Range, rangeOf } from './cluster-picture.ts';
import type { EtcdData } from './etcd-data.ts';
import { expectedHost, type HostFacts, type HostPicture } from './expected-host.ts';
import type { TestNetns } from './netns.ts';

type Shell = Pick<TestNetns, 'sh'>;

const OUR_DEVICES = ['vxlan.calico', 'vxlan-v6.calico'];
/** What the agent marks its routes with. */
const PROTOCOL = '202';
const SWITCHES = ['net/ipv4/ip_forward', 'net/ipv6/conf/all/forwarding'];

/**
 * A line for everything that is missing, that is ours and should not be there, or that is other than it should be; none
 * when the kernel is as it must be. `records`: JSON by key, everything below `/calico/`.
 */
export function hostDifferences(
  records: ReadonlyMap<string, string>,
  nodeName: string,
  host: Shell,
): readonly string[] {
  const found = readHost(host);
  const expected = expectedHost(records, nodeName, found.facts);
  return differences(expected, found.picture).map((line) => `${nodeName}: ${line}`);
}

/** Of all records those that matter to hosts, which are few of those of a large cluster. */
export async function recordsOfHosts(etcd: Pick<EtcdData, 'list'>): Promise<ReadonlyMap<string, string>> {
  const resources = ['nodes', 'ippools', 'felixconfigurations'].map(
    (name) => `/calico/resources/v3/projectcalico.org/${name}/`,
  );
  const prefixes = ['/calico/ipam/v2/assignment/', ...resources];
  const lists = await Promise.all(prefixes.map((prefix) => etcd.list(prefix)));
  return new Map(lists.flatMap((list) => Array.from(list)));
}

/** The differences that are left when they are none, or when the time is over. */
export async function settledDifferences(
  find: () => Promise<readonly string[]>,
  limitMs: number,
): Promise<readonly string[]> {
  for (const startedMs = performance.now(); ; await sleep(50)) {
    const left = await find();
    if (left.length === 0 || performance.now() - startedMs > limitMs) return left;
  }
}

/** Switches that are on need no reason. */
function differences(expected: HostPicture, found: HostPicture): readonly string[] {
  const names = Array.from(new Set([...expected.keys(), ...found.keys()])).toSorted();
  return names.flatMap((name) => {
    const [wanted, is] = [expected.get(name), found.get(name)];
    if (wanted === is || (wanted === undefined && name.startsWith('switch '))) return [];
    if (wanted === undefined) return [`${name} is there and should not be: ${is}`];
    return [is === undefined ? `${name} is missing: ${wanted}` : `${name} is ${is}, not ${wanted}`];
  });
}

interface FoundHost {
  readonly facts: HostFacts;
  readonly picture: HostPicture;
}

interface LinkJson {
  readonly ifname: string;
  readonly mtu: number;
  readonly address?: string;
  readonly operstate: string;
  readonly flags: readonly string[];
  readonly linkinfo?: {
    readonly info_kind?: string;
    readonly info_data?: Readonly<Record<string, unknown>>;
  };
  readonly addr_info: readonly {
    readonly local: string;
    readonly prefixlen: number;
    readonly scope: string;
  }[];
}

/** All that is ours in a network namespace, and what that depends on. */
function readHost(host: Shell): FoundHost {
  const links = json<LinkJson>(host, 'ip -j -d address show');
  const ours = links.filter(({ ifname }) => OUR_DEVICES.includes(ifname));
  const facts = {
    links: links.map(({ ifname, mtu, flags }) => ({
      name: ifname,
      mtu,
      isRunning: flags.includes('LOWER_UP'),
    })),
    addresses: links.flatMap(({ ifname, addr_info }) =>
      addr_info.map(({ local, prefixlen }) => ({ device: ifname, network: `${plain(local)}/${prefixlen}` })),
    ),
  };
  const entries = [
    ...ours.flatMap(deviceEntries),
    ...ours.flatMap(({ ifname }) => layer2Entries(host, ifname)),
    ...routeEntries(host, 4),
    ...routeEntries(host, 6),
    ...natEntries(host, 4),
    ...natEntries(host, 6),
    ...SWITCHES.map((key): Entry => [`switch ${key}`, host.sh(`cat /proc/sys/${key}`)]),
  ];
  return { facts, picture: uniqueEntries(entries) };
}

type Entry = readonly [string, string];

/** Two entries for one thing are a difference of their own. */
function uniqueEntries(entries: readonly Entry[]): HostPicture {
  const picture = new Map<string, string>();
  for (const [name, how] of entries) {
    const other = picture.get(name);
    picture.set(name, other === undefined ? how : `${other}, and also ${how}`);
  }
  return picture;
}

/** Commands that print nothing have found nothing. */
function json<Item>(host: Shell, command: string): readonly Item[] {
  const text = host.sh(command);
  return text === '' ? [] : (JSON.parse(text) as Item[]);
}

function deviceEntries({ ifname, mtu, address, flags, linkinfo, addr_info }: LinkJson): readonly Entry[] {
  const { id, port, local, local6, link, learning, group, group6, external, gbp } = linkinfo?.info_data ?? {};
  const extras = Object.entries({ group, group6, external, gbp }).filter(([, value]) => value !== undefined);
  const how = [
    `${flags.includes('UP') ? 'up' : 'down'} mtu ${mtu} mac ${address} vni ${id} port ${port} local ${plain(String(local ?? local6 ?? '::'))}`,
    `dev ${link} ${learning === false ? 'nolearning' : 'learning'}`,
    ...extras.map(([name, value]) => `${name} ${value}`),
    ...(linkinfo?.info_kind === 'vxlan' ? [] : [`of kind ${linkinfo?.info_kind}`]),
  ].join(' ');
  return [
    [`device ${ifname}`, how],
    ...addr_info
      .filter(({ local, scope }) => !(scope === 'link' && local.startsWith('fe80:')))
      .map(({ local, prefixlen }): Entry => [`address ${plain(local)}/${prefixlen} on ${ifname}`, 'there']),
  ];
}

function layer2Entries(host: Shell, device: string): readonly Entry[] {
  const neighbours = json<{ dst: string; lladdr?: string }>(
    host,
    `ip -j neigh show dev ${device} nud permanent`,
  );
  const fdb = json<{ mac: string; dst?: string; state?: string }>(host, `bridge -j fdb show dev ${device}`);
  return [
    ...neighbours.map(({ dst, lladdr }): Entry => [`neighbour ${plain(dst)} on ${device}`, String(lladdr)]),
    ...fdb
      .filter(({ state }) => state === 'permanent')
      .map(
        ({ mac, dst }): Entry => [`fdb ${mac} on ${device}`, `to ${dst === undefined ? dst : plain(dst)}`],
      ),
  ];
}

interface RouteJson {
  readonly type?: string;
  readonly dst: string;
  readonly gateway?: string;
  readonly dev?: string;
  /** Left out for `boot`. */
  readonly protocol?: string;
  readonly scope?: string;
  readonly metric?: number;
  readonly flags: readonly string[];
  readonly prefsrc?: string;
  readonly metrics?: readonly { readonly mtu?: number }[];
}

/** Ours: what has our mark, and what leads to our devices and is not the kernel's own. */
function routeEntries(host: Shell, family: 4 | 6): readonly Entry[] {
  return json<RouteJson>(host, `ip -j -${family} route show table main`)
    .filter(
      ({ protocol, dev = '' }) =>
        protocol === PROTOCOL || (OUR_DEVICES.includes(dev) && protocol !== 'kernel'),
    )
    .map((route) => [`route ${destination(route, family)}`, describeRoute(route, family)]);
}

function destination({ dst, metric }: RouteJson, family: 4 | 6): string {
  const all = family === 4 ? '0.0.0.0/0' : '::/0';
  const cidr = dst === 'default' ? all : dst.includes('/') ? dst : `${dst}/${family === 4 ? 32 : 128}`;
  const usual = family === 4 ? undefined : 1024;
  return metric === usual ? plain(cidr) : `${plain(cidr)} metric ${metric}`;
}

function describeRoute(route: RouteJson, family: 4 | 6): string {
  const { type = 'unicast', gateway, dev, protocol = 'boot', scope, flags, prefsrc, metrics } = route;
  const isUnicast = type === 'unicast';
  return [
    ...(isUnicast ? [] : [type]),
    ...(gateway === undefined ? [] : [`via ${plain(gateway)}`]),
    ...(dev === undefined || !isUnicast ? [] : [`dev ${dev}`]),
    ...flags.filter((flag) => !['linkdown', 'dead'].includes(flag)),
    ...(scope === undefined || family === 6 ? [] : [`scope ${scope}`]),
    ...(metrics ?? []).flatMap(({ mtu }) => (mtu === undefined ? [] : [`mtu ${mtu}`])),
    ...(prefsrc === undefined ? [] : [`src ${prefsrc}`]),
    ...(protocol === PROTOCOL ? [] : [`proto ${protocol}`]),
  ].join(' ');
}

type SetElement =
  | string
  | { readonly prefix: { readonly addr: string; readonly len: number } }
  | { readonly range: readonly string[] };

interface NftJson {
  readonly nftables: readonly {
    readonly set?: { readonly name: string; readonly elem?: readonly SetElement[] };
  }[];
}

function natEntries(host: Shell, family: 4 | 6): readonly Entry[] {
  const table = `${family === 4 ? 'ip' : 'ip6'} calico-node`;
  if (!host.sh('nft list tables').split('\n').includes(`table ${table}`)) return [];
  const { nftables } = JSON.parse(host.sh(`nft -j list table ${table}`)) as NftJson;
  const sets = nftables.flatMap(({ set }) => set ?? []);
  return [
    [`rules of ip${family}`, rules(host.sh(`nft list table ${table}`)).join('\n')],
    ...sets.map(({ name, elem = [] }): Entry => {
      const ranges = elem.map((element) => rangeOfElement(element, family));
      return [`set ${name} of ip${family}`, describeRanges(ranges, family)];
    }),
  ];
}

/** The lines of the chains without their frames. */
function rules(listing: string): readonly string[] {
  const chains = listing.slice(Math.max(0, listing.indexOf('\tchain ')));
  return chains
    .split('\n')
    .filter((line) => line.startsWith('\t\t') && !line.trim().startsWith('type '))
    .map((line) => line.trim());
}

function rangeOfElement(element: SetElement, family: 4 | 6): Range {
  if (typeof element === 'string') return rangeOf(`${element}/${family === 4 ? 32 : 128}`);
  if ('prefix' in element) return rangeOf(`${element.prefix.addr}/${element.prefix.len}`);
  const [first = '', last = ''] = element.range;
  return [numberOf(first), numberOf(last)];
}
