/** Three hosts with an agent each: when all of them have the route to a new block. */

import type { AgentLab, LabHost } from '../../test/support/agent-lab.ts';
import { blockRecord } from './large-cluster.ts';
import { monitorRoutes, type RouteMonitor } from './route-monitor.ts';
import { requireEqual, rest } from './sizes.ts';

export interface SpreadResult {
  /** From before a block is written to etcd until the last host has its route. */
  readonly blockMs: readonly number[];
  /**
   * From the end of an ADD that has claimed a block until the last of the others has its route; below zero when that
   * was first.
   */
  readonly addMs: readonly number[];
}

const BLOCKS = 40;
const ADDS = 12;

/** Hosts on two subnets, with pools of their own: blocks of four addresses, so that every fourth ADD claims one. */
export async function measureSpread(lab: AgentLab): Promise<SpreadResult> {
  using stack = new DisposableStack();
  const monitors: RouteMonitor[] = [];
  for (const { netns } of lab.hosts) monitors.push(stack.use(await monitorRoutes(netns)));
  const [first] = lab.hosts;
  if (first === undefined) throw new Error('the lab has no host');
  const blockMs: number[] = [];
  for (let index = 0; index < BLOCKS; index++) blockMs.push(await writeBlock(lab, monitors, index));
  const addMs: number[] = [];
  while (addMs.length < ADDS) addMs.push(...(await addPod(first, monitors.slice(1))));
  for (const host of lab.hosts) await requireEqual(lab.etcd, host);
  return { blockMs, addMs };
}

/** Of a node that has no agent. */
async function writeBlock(
  { etcd }: AgentLab,
  monitors: readonly RouteMonitor[],
  index: number,
): Promise<number> {
  await rest();
  const base = `10.126.${index}.0`;
  const { key, text } = blockRecord(base, 'peer0', 1);
  const heard = monitors.map((monitor) => monitor.next(new RegExp(`^${base}/26 via`)));
  const startedMs = performance.now();
  await etcd.put(key, text);
  return Math.max(...(await Promise.all(heard))) - startedMs;
}

/** Nothing when the ADD has needed no new block. */
async function addPod(host: LabHost, others: readonly RouteMonitor[]): Promise<readonly number[]> {
  await rest();
  const before = blackholes(host);
  const heard = others.map((monitor) => monitor.next(/^10\.129\.\S+\/30 via/));
  // Whoever hears nothing gives up later than it matters.
  const all = Promise.all(heard).catch(() => []);
  await host.makePod();
  const endedMs = performance.now();
  await rest();
  if (blackholes(host) === before) return [];
  return [Math.max(...(await all)) - endedMs];
}

function blackholes(host: LabHost): string {
  return host.sh('ip route show type blackhole');
}
