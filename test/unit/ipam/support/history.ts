/**
 * A cluster in motion: many short processes, each of them reading, deciding and committing in its own time,
 * some of them killed, some not told that their commit succeeded. A history is a list of numbers, so that
 * fast-check can make them up and cut them short.
 */

import { CalicoError } from '../../../../src/base/calico-error.ts';
import { formatCidr, formatIpNetwork } from '../../../../src/base/cidr.ts';
import { nodeOfAffinity } from '../../../../src/ipam/affinity.ts';
import { nextVersion } from '../../../../src/ipam/block/next-version.ts';
import { isEmpty } from '../../../../src/ipam/block/usage.ts';
import { type AssignmentRequest, affinityId, type IpamFacts } from '../../../../src/ipam/facts.ts';
import { planAssignment } from '../../../../src/ipam/plan-assignment.ts';
import { planRelease } from '../../../../src/ipam/plan-release.ts';
import type { IpamChange } from '../../../../src/ipam/records.ts';
import {
  assignmentRequest,
  type Cluster,
  commit,
  del,
  firstFacts,
  NOW_NS,
  put,
  withLook,
} from './cluster.ts';
import { clusterViolations, cooldownViolations, sequenceViolations } from './invariants.ts';

/** One line of a history. `who` and `what` are taken modulo whatever there is to choose from. */
export interface Event {
  readonly kind:
    | 'add'
    | 'delete'
    | 'run'
    | 'kill'
    | 'lose answer'
    | 'wait'
    | 'release affinity'
    | 'toggle pool';
  readonly who: number;
  readonly what: number;
}

interface Process {
  readonly verb: 'add' | 'delete';
  readonly container: string;
  readonly nodeName: string;
  readonly families: AssignmentRequest['families'];
  readonly facts: IpamFacts | undefined;
}

export interface History {
  readonly cluster: Cluster;
  readonly nowNs: bigint;
  readonly processes: readonly Process[];
  /** Addresses of containers whose ADD succeeded and whose DEL has not begun. */
  readonly live: ReadonlyMap<string, readonly string[]>;
  readonly lastNumbers: ReadonlyMap<string, bigint>;
  readonly containers: number;
  readonly violations: readonly string[];
  /** What the plans that were carried out said about themselves. */
  readonly notes: readonly string[];
}

export function beginHistory(cluster: Cluster): History {
  return {
    cluster,
    nowNs: NOW_NS,
    processes: [],
    live: new Map(),
    lastNumbers: new Map(),
    containers: 0,
    violations: [],
    notes: [],
  };
}

export function happen(before: History, event: Event): History {
  const process = before.processes[event.who % Math.max(1, before.processes.length)];
  switch (event.kind) {
    case 'add':
      return beginAdd(before, event);
    case 'delete':
      return beginDelete(before, event);
    case 'wait':
      return { ...before, nowNs: before.nowNs + BigInt(event.what % 90) * 1_000_000_000n };
    case 'release affinity':
      return releaseAffinity(before, event);
    case 'toggle pool':
      return togglePool(before, event);
    case 'run':
      return process === undefined ? before : step(before, process, 'answered');
    case 'lose answer':
      return process === undefined ? before : step(before, process, 'lost');
    case 'kill':
      return process === undefined ? before : without(before, process);
  }
}

/** Every process runs to its end, then everything is deleted, by whichever handle is still there. */
export function endHistory(before: History): History {
  let now = before;
  for (let steps = 0; now.processes[0] !== undefined; steps++) {
    if (steps > 1000) throw new Error('processes never end');
    now = step(now, now.processes[0], 'answered');
  }
  for (let container = 0; container < now.containers; container++) {
    const nodeName = nodeOf(now, container);
    const { after } = del(now.cluster, nodeName, [handleOf(container)], { nowNs: now.nowNs });
    now = written(now, after);
  }
  return now;
}

function beginAdd(before: History, { who, what }: Event): History {
  const families = ([[4], [6], [4, 6]] as const)[what % 3] ?? [4];
  const container = before.containers;
  const process: Process = {
    verb: 'add',
    container: handleOf(container),
    nodeName: before.cluster.nodes[container % before.cluster.nodes.length]?.name ?? '',
    families,
    facts: undefined,
  };
  const again = who % 4 === 0 ? before.processes.find(({ verb }) => verb === 'add') : undefined;
  return {
    ...before,
    containers: before.containers + (again === undefined ? 1 : 0),
    processes: [...before.processes, again ?? process],
  };
}

function beginDelete(before: History, { what }: Event): History {
  if (before.containers === 0) return before;
  const container = what % before.containers;
  const live = new Map(before.live);
  live.delete(handleOf(container));
  const process: Process = {
    verb: 'delete',
    container: handleOf(container),
    nodeName: nodeOf(before, container),
    families: [],
    facts: undefined,
  };
  // As a runtime does: an ADD of the same container is over before its DEL begins.
  const others = before.processes.filter((other) => other.container !== process.container);
  return { ...before, live, processes: [...others, process] };
}

/** One request of a process: the first read, a look, or its commit. */
function step(before: History, process: Process, answer: 'answered' | 'lost'): History {
  const { cluster, nowNs } = before;
  if (process.facts === undefined) {
    return replaced(before, process, {
      ...process,
      facts: firstFacts(cluster, process.nodeName, [process.container]),
    });
  }
  const plan = decideOf(process, process.facts, nowNs);
  if (plan === undefined) return without(before, process);
  if (plan.outcome === 'look') {
    return replaced(before, process, { ...process, facts: withLook(process.facts, cluster, plan.look) });
  }
  const after = commit(cluster, plan.changes);
  if (after === undefined) {
    const facts = nowNs % 2n === 0n ? undefined : withCurrent(process.facts, cluster, plan.changes);
    return replaced(before, process, { ...process, facts });
  }
  const done = noted(written(before, after), plan.outcome === 'assigned' ? plan.notes : []);
  if (answer === 'lost') return replaced(done, process, { ...process, facts: undefined });
  const live =
    plan.outcome === 'assigned'
      ? new Map([...done.live, [process.container, plan.addresses.map(formatIpNetwork)]])
      : done.live;
  return without({ ...done, live, violations: [...done.violations, ...duplicates(live)] }, process);
}

/** `undefined`: there is no address to be had, the ADD fails. */
function decideOf({ verb, container, nodeName, families }: Process, facts: IpamFacts, nowNs: bigint) {
  if (verb === 'delete') return planRelease({ handleIds: [container], nodeName, nowNs }, facts);
  try {
    return planAssignment(assignmentRequest(nodeName, container, { families, nowNs }), facts);
  } catch (error) {
    if (error instanceof CalicoError && error.kind === 'no-address') return undefined;
    throw error;
  }
}

/** The facts after a lost commit: only the compared records are up to date. */
function withCurrent(facts: IpamFacts, of: Cluster, changes: readonly IpamChange[]): IpamFacts {
  const blocks = new Map(facts.blocks);
  const handles = new Map(facts.handles);
  const otherAffinities = new Map(facts.otherAffinities);
  let affinities = facts.affinities;
  for (const change of changes) {
    if (change.record === 'handle') {
      handles.set(change.handleId, of.handles.get(change.handleId));
      continue;
    }
    const text = formatCidr(change.cidr);
    if (change.record === 'block') {
      blocks.set(text, of.blocks.get(text));
      continue;
    }
    const id = affinityId(change.nodeName, text);
    const stored = of.affinities.get(id);
    if (change.nodeName !== facts.node?.name) otherAffinities.set(id, stored);
    else {
      affinities = affinities.filter(({ cidr }) => formatCidr(cidr) !== text);
      if (stored !== undefined) affinities = [...affinities, { ...stored, cidr: change.cidr }];
    }
  }
  return { ...facts, blocks, handles, otherAffinities, affinities };
}

/** What an operator does: `calicoctl` takes a block from its node, empty or not. */
function releaseAffinity(before: History, { who }: Event): History {
  const blocks = [...before.cluster.blocks.values()];
  const block = blocks[who % Math.max(1, blocks.length)]?.value;
  const owner = nodeOfAffinity(block?.affinity);
  if (block === undefined || owner === undefined) return before;
  const { cidr } = block;
  const free = { ...nextVersion(block), affinity: undefined, affinityClaimTime: undefined };
  const after = put(
    before.cluster,
    { record: 'block', cidr, from: '', to: isEmpty(block) ? undefined : free },
    { record: 'affinity', nodeName: owner, cidr, from: '', to: undefined },
  );
  return written(before, after);
}

function togglePool(before: History, { who }: Event): History {
  const chosen = who % before.cluster.pools.length;
  const pools = before.cluster.pools.map((pool, index) =>
    index === chosen ? { ...pool, enabled: !pool.enabled } : pool,
  );
  return { ...before, cluster: { ...before.cluster, pools } };
}

/** A new state of the datastore: it is examined as it is stored. */
function written(before: History, cluster: Cluster): History {
  const numbers = Array.from(cluster.blocks, ([text, { value }]) => [text, value.sequenceNumber] as const);
  return {
    ...before,
    cluster,
    nowNs: before.nowNs + 1_000_003n,
    lastNumbers: new Map([...before.lastNumbers, ...numbers]),
    violations: [
      ...before.violations,
      ...clusterViolations(cluster),
      ...sequenceViolations(before.lastNumbers, before.cluster, cluster),
      ...cooldownViolations(before.cluster, cluster, before.nowNs),
    ],
  };
}

function noted(history: History, notes: readonly string[]): History {
  return { ...history, notes: [...history.notes, ...notes] };
}

function duplicates(live: ReadonlyMap<string, readonly string[]>): readonly string[] {
  const all = [...live.values()].flat();
  return all.filter((address, index) => all.indexOf(address) !== index).map((text) => `${text} given twice`);
}

function replaced(before: History, old: Process, by: Process): History {
  return { ...before, processes: before.processes.map((process) => (process === old ? by : process)) };
}

function without(before: History, gone: Process): History {
  return { ...before, processes: before.processes.filter((process) => process !== gone) };
}

function handleOf(container: number): string {
  return `net1.c${container}`;
}

function nodeOf(history: History, container: number): string {
  return history.cluster.nodes[container % history.cluster.nodes.length]?.name ?? '';
}
