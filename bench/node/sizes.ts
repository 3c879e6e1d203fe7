/** One agent, the whole executable, in clusters of several sizes: its first sync, and one change. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { AgentLab, LabAgent, LabHost } from '../../test/support/agent-lab.ts';
import type { EtcdData } from '../../test/support/etcd-data.ts';
import { hostDifferences, recordsOfHosts, settledDifferences } from '../../test/support/host-differences.ts';
import { BLOCKS_PER_NODE, blockRecord, peerName, peerRecords } from './large-cluster.ts';
import { cpuMs, peakMb } from './process-cost.ts';
import { monitorRoutes, type RouteMonitor } from './route-monitor.ts';

export interface SizeResult {
  readonly nodes: number;
  /** From the start of the process until the kernel has every route. */
  readonly firstSyncMs: readonly number[];
  /** Until the agent is ready, one each. */
  readonly firstSyncCpuMs: readonly number[];
  /** The most at once, after all that is measured here. */
  readonly peakMb: number;
  /** From before a block is written to etcd until its route is there, and the same for its removal. */
  readonly addedMs: readonly number[];
  readonly removedMs: readonly number[];
  /** That the agent takes for one of them, on average. */
  readonly changeCpuMs: number;
  /** … for a block of others that has one pod more, and so changes no route. */
  readonly podCpuMs: number;
  /** … and for an ADD and a DEL on its own host. */
  readonly ownPodCpuMs: number;
}

const SYNCS = 3;
const CHANGES = 25;
const OWN_PODS = 5;

/** `before`: how many nodes were measured last; the etcd of the lab has kept them. The agent goes on running. */
export async function measureSize(lab: AgentLab, before: number, nodes: number): Promise<SizeResult> {
  const host = firstHost(lab);
  const { etcd } = lab;
  await etcd.putAll(peerRecords(Math.max(0, before - 1), nodes - 1));
  using monitor = await monitorRoutes(host.netns);
  const firstSyncMs: number[] = [];
  const firstSyncCpuMs: number[] = [];
  let pid = 0;
  for (let times = 0; times < SYNCS; times++) {
    await host.agent?.kill();
    await forget(host, etcd);
    const { agent, ms } = await firstSync(host, monitor, nodes);
    pid = agent.process.pid ?? 0;
    firstSyncMs.push(ms);
    firstSyncCpuMs.push(cpuMs(pid));
  }
  await requireEqual(etcd, host);
  const changes = await measureChanges(etcd, monitor, pid, nodes);
  const podCpuMs = await measurePods(etcd, pid);
  const ownPodCpuMs = await measureOwnPods(host, pid);
  return { nodes, firstSyncMs, firstSyncCpuMs, ...changes, podCpuMs, ownPodCpuMs, peakMb: peakMb(pid) };
}

export function firstHost({ hosts: [host] }: AgentLab): LabHost {
  if (host === undefined) throw new Error('the lab has no host');
  return host;
}

/** As if it had never had an agent. */
async function forget(host: LabHost, etcd: EtcdData): Promise<void> {
  host.sh(`
    ip link del vxlan.calico 2>/dev/null || true
    ip route flush proto 202
    nft delete table ip calico-node 2>/dev/null || true
    rm -f ${host.folder}/nodename ${host.folder}/mtu
  `);
  const affinities = `/calico/ipam/v2/host/${host.name}/ipv4/block/`;
  for (const key of (await etcd.list(affinities)).keys())
    await etcd.remove(`/calico/ipam/v2/assignment/ipv4/block/${key.slice(affinities.length)}`);
  await etcd.remove(`/calico/ipam/v2/host/${host.name}/`);
  await etcd.remove(`/calico/ipam/v2/handle/vxlan-tunnel-addr-${host.name}`);
  await etcd.remove(`/calico/resources/v3/projectcalico.org/nodes/${host.name}`);
}

interface Sync {
  readonly agent: LabAgent;
  readonly ms: number;
}

async function firstSync(host: LabHost, monitor: RouteMonitor, nodes: number): Promise<Sync> {
  const synced = monitor.count(/^10\.\S+ via .* proto 202/, (nodes - 1) * BLOCKS_PER_NODE);
  const startedMs = performance.now();
  const agent = host.startAgent();
  const [doneMs] = await Promise.all([synced, agent.ready]);
  return { agent, ms: doneMs - startedMs };
}

/** Throws when the kernel of the host is not exactly as it must be. */
export async function requireEqual(etcd: EtcdData, host: LabHost): Promise<void> {
  const find = async () => hostDifferences(await recordsOfHosts(etcd), host.name, host);
  const left = await settledDifferences(find, 10_000);
  if (left.length > 0) throw new Error(`the kernel is not as it must be:\n${left.slice(0, 5).join('\n')}`);
}

async function measureChanges(etcd: EtcdData, monitor: RouteMonitor, pid: number, nodes: number) {
  const timed = async (pattern: RegExp, change: () => Promise<void>) => {
    await rest();
    const startedMs = performance.now();
    const heard = monitor.next(pattern);
    await change();
    return (await heard) - startedMs;
  };
  const addedMs: number[] = [];
  const removedMs: number[] = [];
  await rest();
  const before = cpuMs(pid);
  for (let index = 0; index < CHANGES; index++) {
    const base = `10.126.${index}.0`;
    const { key, text } = blockRecord(base, peerName(index % (nodes - 1)), 1);
    addedMs.push(await timed(new RegExp(`^${base}/26 via`), () => etcd.put(key, text)));
    removedMs.push(await timed(new RegExp(`^Deleted ${base}/26 via`), () => etcd.remove(key)));
  }
  await rest();
  return { addedMs, removedMs, changeCpuMs: (cpuMs(pid) - before) / (2 * CHANGES) };
}

async function measurePods(etcd: EtcdData, pid: number): Promise<number> {
  await rest();
  const before = cpuMs(pid);
  for (let index = 0; index < CHANGES; index++) {
    const { key, text } = blockRecord('10.64.0.0', peerName(0), 17 + (index % 8));
    await etcd.put(key, text);
    await rest();
  }
  return (cpuMs(pid) - before) / CHANGES;
}

async function measureOwnPods(host: LabHost, pid: number): Promise<number> {
  await rest();
  const before = cpuMs(pid);
  for (let index = 0; index < OWN_PODS; index++) {
    const pod = await host.makePod();
    await rest();
    await pod.remove();
    await rest();
  }
  return (cpuMs(pid) - before) / OWN_PODS;
}

/** Longer than the agent gathers, and never in step with it. */
export async function rest(): Promise<void> {
  await sleep(80 + 20 * Math.random());
}
