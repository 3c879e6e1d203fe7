/** The modes of a pool, and the way that packets between pods of two hosts take in each. */

import { setTimeout as sleep } from 'node:timers/promises';
import { type AgentLab, type LabHost, type LabPod, PATIENCE } from './agent-lab.ts';
import { writePool } from './cluster.ts';
import { routerAddresses } from './two-subnets.ts';

/** `none`: to the router, which does not know the pods. */
export type Way = 'direct' | 'VXLAN' | 'IPIP' | 'none';

export interface PoolMode {
  readonly name: string;
  readonly spec: Readonly<Record<'vxlanMode' | 'ipipMode', 'Always' | 'CrossSubnet' | 'Never'>>;
  /** Between other subnets, and within one. */
  readonly ways: readonly [far: Way, near: Way];
}

export const POOL_MODES = {
  vxlan: poolMode('VXLAN Always', { vxlanMode: 'Always' }, 'VXLAN', 'VXLAN'),
  vxlanCrossSubnet: poolMode('VXLAN CrossSubnet', { vxlanMode: 'CrossSubnet' }, 'VXLAN', 'direct'),
  unencapsulated: poolMode('no encapsulation', {}, 'none', 'direct'),
  ipip: poolMode('IPIP Always', { ipipMode: 'Always' }, 'IPIP', 'IPIP'),
  ipipCrossSubnet: poolMode('IPIP CrossSubnet', { ipipMode: 'CrossSubnet' }, 'IPIP', 'direct'),
} as const;

function poolMode(name: string, spec: Partial<PoolMode['spec']>, far: Way, near: Way): PoolMode {
  return { name, spec: { vxlanMode: 'Never', ipipMode: 'Never', ...spec }, ways: [far, near] };
}

export type PodFamily = 'ipv4' | 'ipv6';

export function wayBetween({ ways: [far, near] }: PoolMode, from: LabHost, to: LabHost): Way {
  return from.subnet === to.subnet ? near : far;
}

/** How {@link formatPacket} shows a packet between pods where it leaves its host; `undefined`: it does not. */
export function packetOnWire(
  mode: PoolMode,
  from: LabPod,
  to: LabPod,
  family: PodFamily,
): string | undefined {
  if (from.host === to.host) return undefined;
  const hosts = `${from.host[family]} → ${to.host[family]}`;
  const pods = `${from[family]} → ${to[family]}`;
  switch (wayBetween(mode, from.host, to.host)) {
    case 'VXLAN':
      return `${hosts} VXLAN 4096 [${pods}]`;
    case 'IPIP':
      return `${hosts} IPIP [${pods}]`;
    default:
      return pods;
  }
}

/** Writes the pool in this mode, and resolves when all hosts have followed. */
export async function changeMode(
  lab: AgentLab,
  pool: { readonly name: string; readonly cidr: string; readonly spec?: object },
  mode: PoolMode,
  pods: readonly LabPod[],
): Promise<void> {
  await writePool(lab.etcd, pool.name, pool.cidr, { ...pool.spec, ...mode.spec });
  await untilFollowed(lab, mode, pods, pool.cidr.includes(':') ? 'ipv6' : 'ipv4');
}

/** Resolves when the routes of all hosts to the pods are those of the mode. */
export async function untilFollowed(
  lab: AgentLab,
  mode: PoolMode,
  pods: readonly LabPod[],
  family: PodFamily,
): Promise<void> {
  for (const startedMs = performance.now(); ; await sleep(PATIENCE.interval)) {
    const wrong = wrongRoutes(lab, mode, pods, family);
    if (wrong.length === 0) return;
    if (performance.now() - startedMs > PATIENCE.timeout)
      throw new Error(`not within ${PATIENCE.timeout} ms: ${mode.name}\n${wrong.join('\n')}`);
  }
}

function wrongRoutes(
  lab: AgentLab,
  mode: PoolMode,
  pods: readonly LabPod[],
  family: PodFamily,
): readonly string[] {
  const pairs = lab.hosts.flatMap((from) => pods.map((to) => ({ from, to })));
  return pairs
    .filter(({ from, to }) => from !== to.host && to[family] !== '')
    .map(({ from, to }) => ({
      route: `${from.name}: ${from.sh(`ip route get ${to[family]}`)}`,
      wanted: nextHop(wayBetween(mode, from, to.host), from, to.host, family),
    }))
    .filter(({ route, wanted }) => !route.includes(` ${wanted} `))
    .map(({ route }) => route);
}

function nextHop(way: Way, from: LabHost, to: LabHost, family: PodFamily): string {
  switch (way) {
    case 'VXLAN':
      return family === 'ipv4' ? 'dev vxlan.calico' : 'dev vxlan-v6.calico';
    case 'IPIP':
      return 'dev tunl0';
    case 'direct':
      return `via ${to[family]} dev eth0`;
    case 'none':
      return `via ${routerAddresses(from.subnet)[family]} dev eth0`;
  }
}

/** Bytes of the outer headers, in which VXLAN has an Ethernet header of its own. */
export function overheadOf(way: Way, family: PodFamily): number {
  const overheads = { VXLAN: family === 'ipv4' ? 50 : 70, IPIP: 20, direct: 0, none: 0 };
  return overheads[way];
}
