/**
 * The records of a cluster as a checker of agents reads them: straight from their JSON, with nothing of the agent's own
 * code, so that a mistake of the one is not a mistake of the other. Slow and simple on purpose.
 */

import { createHash } from 'node:crypto';
import ipaddr from 'ipaddr.js';

export type Family = 4 | 6;

interface PicturedNode {
  readonly name: string;
  /** Address, and the length of its mask. */
  readonly host: readonly [string, number] | undefined;
  /** What routes may lead to when there is no `host`. */
  readonly fallback: string | undefined;
  readonly tunnel: string | undefined;
  readonly mac: string;
}

interface PicturedPool {
  readonly cidr: string;
  readonly mode: 'vxlan' | 'ipip' | 'none';
  readonly isCrossSubnet: boolean;
  readonly natOutgoing: boolean;
}

interface PicturedBlock {
  readonly cidr: string;
  readonly owner: string | undefined;
  /** Address and node of those that another node than the owner has. */
  readonly borrowed: readonly (readonly [string, string])[];
}

/** All of one family. */
export interface ClusterPicture {
  /** By name in alphabetical order. */
  readonly nodes: readonly PicturedNode[];
  /** Without those of load balancers alone. */
  readonly pools: readonly PicturedPool[];
  readonly blocks: readonly PicturedBlock[];
  /** Of the FelixConfigurations `default` and `node.<name>`, the latter first. */
  readonly setting: (name: string) => unknown;
}

// biome-ignore lint/suspicious/noExplicitAny: whatever somebody has written
type Json = any;

const RESOURCES = '/calico/resources/v3/projectcalico.org/';

/** `records`: JSON by key, everything below `/calico/`. What is no JSON is passed over. */
export function clusterPicture(
  records: ReadonlyMap<string, string>,
  nodeName: string,
  family: Family,
): ClusterPicture {
  const all = Array.from(records).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const below = (prefix: string): readonly (readonly [string, Json])[] =>
    all
      .filter(([key]) => key.startsWith(prefix))
      .map(([key, text]) => [key.slice(prefix.length), parse(text)] as const)
      .filter(([, value]) => value !== undefined);
  const felix = new Map(below(`${RESOURCES}felixconfigurations/`));
  const layers = [felix.get(`node.${nodeName}`), felix.get('default')];
  return {
    nodes: below(`${RESOURCES}nodes/`).map(([name, { spec = {} }]) => picturedNode(name, spec, family)),
    pools: below(`${RESOURCES}ippools/`)
      .filter(([, { spec }]) => familyOf(spec.cidr) === family && !isOnlyOf(spec.allowedUses, 'LoadBalancer'))
      .map(([, { spec }]) => picturedPool(spec, family)),
    blocks: below(`/calico/ipam/v2/assignment/ipv${family}/block/`).map(([, value]) => picturedBlock(value)),
    setting: (name) => layers.map((layer) => layer?.spec?.[name]).find((value) => value !== undefined),
  };
}

function parse(text: string): Json {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function picturedNode(name: string, spec: Json, family: Family): PicturedNode {
  const [address = '', length] = (spec.bgp?.[`ipv${family}Address`] ?? '').split('/');
  const ofType = (type: string) =>
    (spec.addresses ?? []).find((one: Json) => one.type === type && familyOf(one.address) === family)
      ?.address;
  return {
    name,
    host: address === '' ? undefined : [plain(address), Number(length ?? bitsOf(family))],
    fallback: ofType('InternalIP') ?? ofType('ExternalIP'),
    tunnel: optionalAddress(spec[`ipv${family}VXLANTunnelAddr`]),
    mac: (
      spec[family === 4 ? 'vxlanTunnelMACAddr' : 'vxlanTunnelMACAddrV6'] || macOf(name, family)
    ).toLowerCase(),
  };
}

/** Calico's rule: `66`, and the first five octets of SHA-1 over the name. */
function macOf(name: string, family: Family): string {
  const digest = createHash('sha1').update(family === 4 ? name : `${name}-v6`);
  return ['66', ...(digest.digest('hex').slice(0, 10).match(/../g) ?? [])].join(':');
}

function picturedPool(spec: Json, family: Family): PicturedPool {
  const { vxlanMode: vxlan = 'Never', ipipMode: ipip = 'Never' } = spec;
  const mode = vxlan !== 'Never' ? 'vxlan' : ipip !== 'Never' && family === 4 ? 'ipip' : 'none';
  return {
    cidr: plain(spec.cidr),
    mode,
    isCrossSubnet: (mode === 'vxlan' ? vxlan : ipip) === 'CrossSubnet',
    natOutgoing: spec.natOutgoing === true,
  };
}

function picturedBlock({ cidr, affinity, allocations, attributes }: Json): PicturedBlock {
  const owner = affinity?.startsWith('host:') ? affinity.slice('host:'.length) : undefined;
  const borrowed: [string, string][] = [];
  for (const [ordinal, index] of allocations.entries()) {
    const { secondary, releasedAt } = index === null ? {} : attributes[index];
    const node = secondary?.node;
    if (node !== undefined && node !== owner && releasedAt === undefined)
      borrowed.push([addressAt(cidr, ordinal), node]);
  }
  return { cidr: plain(cidr), owner, borrowed };
}

function isOnlyOf(uses: readonly string[] | undefined, use: string): boolean {
  return uses !== undefined && uses.length > 0 && uses.every((one) => one === use);
}

function addressAt(cidr: string, ordinal: number): string {
  return addressOf(rangeOf(cidr)[0] + BigInt(ordinal), familyOf(cidr));
}

function optionalAddress(text: string | undefined): string | undefined {
  return text ? plain(text) : undefined;
}

export function bitsOf(family: Family): number {
  return family === 4 ? 32 : 128;
}

/** Of an address or a CIDR. */
export function familyOf(text: string): Family {
  return text.includes(':') ? 6 : 4;
}

/** As the kernel's tools write it. */
export function plain(text: string): string {
  const [address = '', ...length] = text.split('/');
  return [ipaddr.parse(address).toString(), ...length].join('/');
}

/** Whether the address lies in the CIDR. */
export function isInside(address: string, cidr: string): boolean {
  if (familyOf(address) !== familyOf(cidr)) return false;
  const [base = '', length] = cidr.split('/');
  return ipaddr.parse(address).match(ipaddr.parse(base), Number(length));
}

/** Whether the first CIDR lies in the second. */
export function isWithin(inner: string, outer: string): boolean {
  const [base = '', length] = inner.split('/');
  return isInside(base, outer) && Number(length) >= Number(outer.split('/')[1]);
}

/** Addresses from the first to the last, as numbers. */
export type Range = readonly [bigint, bigint];

export function rangeOf(cidr: string): Range {
  const [base = '', length] = cidr.split('/');
  const size = 1n << BigInt(bitsOf(familyOf(cidr)) - Number(length));
  const first = numberOf(base) & ~(size - 1n);
  return [first, first + size - 1n];
}

export function numberOf(address: string): bigint {
  return ipaddr
    .parse(address)
    .toByteArray()
    .reduce((sum, byte) => sum * 256n + BigInt(byte), 0n);
}

/** As text, in order, with what overlaps or touches in one. */
export function describeRanges(ranges: readonly Range[], family: Family): string {
  const joined: [bigint, bigint][] = [];
  for (const [first, last] of ranges.toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))) {
    const before = joined.at(-1);
    if (before === undefined || first > before[1] + 1n) joined.push([first, last]);
    else if (last > before[1]) before[1] = last;
  }
  return joined.map((range) => range.map((value) => addressOf(value, family)).join('-')).join(', ');
}

function addressOf(value: bigint, family: Family): string {
  const bytes = Array.from({ length: bitsOf(family) / 8 }, (_, index) =>
    Number((value >> BigInt(bitsOf(family) - 8 * (index + 1))) & 255n),
  );
  return ipaddr.fromByteArray(bytes).toString();
}
