/** Gives back what nodes have left that were removed from the cluster; one agent of all does it. */

import { CalicoError, isCalicoError } from '../../base/calico-error.ts';
import { type Cidr, formatCidr } from '../../base/cidr.ts';
import type { Clock, Deadline } from '../../base/deadline.ts';
import { formatIpAddress } from '../../base/ip-address.ts';
import {
  AFFINITIES_PREFIX,
  NODE_CLAIMS_PREFIX,
  NODES_PREFIX,
  WORKLOAD_ENDPOINTS_PREFIX,
} from '../../datastore/keys.ts';
import { readAll } from '../../datastore/read-all.ts';
import { scan } from '../../datastore/scan.ts';
import { settle } from '../../datastore/settle.ts';
import type { Expectation, Store } from '../../datastore/store.ts';
import { EMPTY_VIEW } from '../../datastore/view.ts';
import { endpointKeysOfNode, knownEndpoints } from '../../datastore/workload-records.ts';
import type { WorkloadEndpoint } from '../../workload/workload-endpoint.ts';
import type { ClusterState } from '../cluster.ts';
import type { CollectorRole } from './collector-role.ts';
import {
  decideHostEntry,
  decideRemovedNode,
  hostEntryRanges,
  type RemovedNodeInputs,
  removedNodeRanges,
} from './decide-removed-node.ts';
import type { GarbageReport } from './garbage-report.ts';
import type { GarbageSettings } from './garbage-settings.ts';
import { type NodeLists, type RemovedNode, removedNodes } from './removed-nodes.ts';
import { afterLook, NO_SUSPICION } from './suspicion.ts';

export interface RemovedNodePorts {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: () => number;
  readonly role: CollectorRole;
  readonly report: GarbageReport;
}

export interface RemovedNodeCollector {
  /** Rejects with what the datastore throws. */
  readonly look: (state: ClusterState, deadline: Deadline) => Promise<void>;
  /** A node that is there for a moment is looked at as if it had just been removed. */
  readonly onCluster: (state: ClusterState) => void;
}

export function createRemovedNodeCollector(
  { mode, graceMs }: GarbageSettings,
  ports: RemovedNodePorts,
): RemovedNodeCollector {
  const { store, clock, random, report } = ports;
  const isDryRun = mode !== 'on';
  let suspicion = NO_SUSPICION;

  /** What cannot be understood is of one node, and the others are looked at all the same. */
  async function collectOrLeave(
    node: RemovedNode,
    guard: Expectation | undefined,
    deadline: Deadline,
  ): Promise<void> {
    const nowNs = clock.nowNs();
    const madeBeforeNs = nowNs - BigInt(Math.ceil(graceMs * 1e6));
    const role = guard === undefined ? [] : [guard];
    try {
      const endpoints = await endpointsOf(node.name, store, deadline);
      const inputs = { nodeName: node.name, nowNs, madeBeforeNs, endpoints, role, isDryRun };
      await collectNode(node, inputs, deadline);
    } catch (error) {
      if (!isCalicoError(error, 'corrupt', 'conflict', 'config')) throw error;
      report.leave('removed node', { node: node.name, why: error.message });
    }
  }

  async function collectNode(
    node: RemovedNode,
    inputs: RemovedNodeInputs,
    deadline: Deadline,
  ): Promise<void> {
    let isDone = true;
    for (const block of node.blocks) isDone = (await collectBlock(block, inputs, deadline)) && isDone;
    if (!isDone || !node.hasHostEntry) return;
    const hadEntry = await settle({
      ...{ store, clock, random, deadline },
      ranges: hostEntryRanges(node.name),
      decide: (view) => decideHostEntry(inputs, view),
    });
    if (hadEntry) report.collect('entry of a removed node', {}, { node: node.name });
  }

  /** Whether nothing of the node is left there. */
  async function collectBlock(cidr: Cidr, inputs: RemovedNodeInputs, deadline: Deadline): Promise<boolean> {
    const { nodeName: node } = inputs;
    const block = formatCidr(cidr);
    for (;;) {
      const outcome = await settle({
        ...{ store, clock, random, deadline },
        ranges: removedNodeRanges(node, cidr),
        decide: (view) => decideRemovedNode(inputs, cidr, view),
      });
      if (!outcome.isDone) {
        report.leave('removed node', { node, why: outcome.why });
        return false;
      }
      const { addresses, letGo, kept, isUnfinished } = outcome;
      if (addresses.length > 0 || letGo !== 'nothing')
        report.collect('what a removed node had', countsOf(outcome), {
          ...{ node, block, addresses: addresses.map(formatIpAddress).join(',') || undefined },
          removed: letGo === 'nothing' ? undefined : letGo,
        });
      if (kept > 0) report.leave('addresses of a removed node', { node, block, addresses: kept });
      if (!isUnfinished) return kept === 0;
    }
  }
  return {
    onCluster: ({ nodes }) => {
      if (suspicion.size === 0) return;
      suspicion = new Map([...suspicion].filter(([name]) => !nodes.has(name)));
    },
    look: async (state, deadline) => {
      const guard = isDryRun ? undefined : await ports.role.take(deadline);
      report.see({ isCollector: guard !== undefined });
      if (!isDryRun && guard === undefined) {
        suspicion = NO_SUSPICION;
        report.see({ removedNodes: [] });
        return;
      }
      const beganMs = clock.monotonicMs();
      const removed = removedNodes(state, await readLists(store, deadline));
      const names = removed.map(({ name }) => name);
      const after = afterLook(suspicion, names, { beganMs, endedMs: clock.monotonicMs() }, graceMs);
      suspicion = after.suspicion;
      report.see({ removedNodes: names });
      for (const node of names) report.suspect('a node is gone, and has left something', { node });
      const confirmed = removed.filter(({ name }) => after.confirmed.has(name));
      for (const node of confirmed) await collectOrLeave(node, guard, deadline);
    },
  };
}

function countsOf({ addresses, letGo }: { readonly addresses: readonly unknown[]; readonly letGo: string }) {
  return {
    addresses: addresses.length,
    blocks: letGo === 'block' ? 1 : 0,
    affinities: letGo === 'nothing' ? 0 : 1,
  };
}

async function readLists(store: Store, deadline: Deadline): Promise<NodeLists> {
  const [affinities, nodes, claims] = await Promise.all(
    [AFFINITIES_PREFIX, NODES_PREFIX, NODE_CLAIMS_PREFIX].map((prefix) => keysBelow(prefix, store, deadline)),
  );
  return { affinities: affinities ?? [], nodes: nodes ?? [], claims: claims ?? [] };
}

async function keysBelow(prefix: string, store: Store, deadline: Deadline): Promise<readonly string[]> {
  const keys: string[] = [];
  for await (const { entries } of scan(store, [{ prefix, keysOnly: true }], deadline))
    keys.push(...entries.map(({ key }) => key));
  return keys;
}

/** The names of all must be read for it, so this is for nodes that are known to be gone. Rejects with `corrupt`. */
async function endpointsOf(
  nodeName: string,
  store: Store,
  deadline: Deadline,
): Promise<readonly WorkloadEndpoint[]> {
  const keys = await keysBelow(WORKLOAD_ENDPOINTS_PREFIX, store, deadline);
  const keyLists = new Map([[WORKLOAD_ENDPOINTS_PREFIX, new Set(keys)]]);
  const own = endpointKeysOfNode({ ...EMPTY_VIEW, keyLists }, nodeName);
  const view = await readAll(
    store,
    own.map((key) => ({ key })),
    deadline,
  );
  return knownEndpoints(view, (text) => {
    throw new CalicoError('corrupt', text, {
      details: `repair or delete it: node ${nodeName} is left alone`,
    });
  }).map(({ value }) => value);
}
