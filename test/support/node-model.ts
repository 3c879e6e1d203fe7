/** A node for tests of the garbage collection: records in a store, and a kernel and a runtime that are sets of names. */

import type { Clock } from '../../src/base/deadline.ts';
import { applyChanges } from '../../src/node/apply-changes.ts';
import { type ClusterState, unknownCluster } from '../../src/node/cluster.ts';
import type { GarbageCounts, GarbageReport } from '../../src/node/garbage/garbage-report.ts';
import type { HostView } from '../../src/node/garbage/host-view.ts';
import type { SandboxState } from '../../src/node/garbage/judge-containers.ts';
import { RECORD_TIME_NS } from './record-calls.ts';

/** A clock whose two times go on together, unless somebody sets the one on the wall. */
export interface ModelClock extends Clock {
  readonly pass: (ms: number) => void;
  readonly setWall: (changeMs: number) => void;
}

export function modelClock(): ModelClock {
  let monotonicMs = 0;
  let wallNs = RECORD_TIME_NS;
  const pass = (ms: number) => {
    monotonicMs += ms;
    wallNs += BigInt(Math.round(ms * 1e6));
  };
  return {
    nowNs: () => wallNs,
    monotonicMs: () => monotonicMs,
    sleep: async (ms) => pass(ms),
    pass,
    setWall: (changeMs) => {
      wallNs += BigInt(changeMs) * 1_000_000n;
    },
  };
}

/** What a host has of containers. */
export interface HostModel {
  /** Names of interfaces. */
  readonly interfaces: Set<string>;
  readonly sandboxes: Map<string, SandboxState>;
  /** Containers that a plugin is called for. */
  readonly calls: Set<string>;
  readonly view: HostView;
}

export function createHostModel(): HostModel {
  const interfaces = new Set<string>();
  const sandboxes = new Map<string, SandboxState>();
  const calls = new Set<string>();
  const view: HostView = {
    look: () => ({
      interfaces: new Set(interfaces),
      routed: new Set(),
      sandboxOf: (containerId) => sandboxes.get(containerId) ?? 'unknown',
    }),
    findCalls: () => (containerId) => calls.has(containerId),
    lock: async () => ({ isHeld: true, release: () => undefined }),
  };
  return { interfaces, sandboxes, calls, view };
}

/** What an agent on the node has heard of the datastore by now. */
export function heardState(nodeName: string, values: ReadonlyMap<string, string>): ClusterState {
  const changes = Array.from(values, ([key, text]) => ({ key, text }));
  return applyChanges(unknownCluster(nodeName), changes);
}

/** A report that keeps lists of what it was told. */
export function listingReport(): GarbageReport & {
  readonly collected: { readonly what: string; readonly fields: object }[];
  readonly left: { readonly what: string; readonly fields: object }[];
} {
  const collected: { what: string; counts: Partial<GarbageCounts>; fields: object }[] = [];
  const left: { what: string; fields: object }[] = [];
  return {
    collected,
    left,
    status: () => {
      throw new Error('nobody asks for it here');
    },
    lookBegins: () => undefined,
    lookEnds: () => undefined,
    see: () => undefined,
    suspect: () => undefined,
    collect: (what, counts, fields) => void collected.push({ what, counts, fields }),
    leave: (what, fields) => void left.push({ what, fields }),
  };
}
