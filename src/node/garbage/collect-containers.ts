/** Gives back what containers of this node have left that are gone: looks, waits a grace period, looks again. */

import { CalicoError, isCalicoError } from '../../base/calico-error.ts';
import type { Clock } from '../../base/deadline.ts';
import { type Deadline, deadlineIn } from '../../base/deadline.ts';
import { formatIpAddress } from '../../base/ip-address.ts';
import { sha1Hex } from '../../base/sha1.ts';
import { blockRange, ipamFacts } from '../../datastore/ipam-records.ts';
import { WORKLOAD_ENDPOINTS_PREFIX } from '../../datastore/keys.ts';
import { readAll } from '../../datastore/read-all.ts';
import { settle } from '../../datastore/settle.ts';
import type { Store } from '../../datastore/store.ts';
import { knownEndpoints } from '../../datastore/workload-records.ts';
import { batches } from '../../garbage/batches.ts';
import { holderKind } from '../../garbage/holder-kind.ts';
import { inPieces } from '../../garbage/in-pieces.ts';
import type { Leak } from '../../garbage/leak.ts';
import { addressOfAllocation, allocationsOf, type SeenAllocation } from '../../ipam/plan-collection.ts';
import type { WorkloadEndpoint } from '../../workload/workload-endpoint.ts';
import type { ClusterState } from '../cluster.ts';
import { decideLeak, leakRanges } from './decide-leak.ts';
import type { GarbageReport } from './garbage-report.ts';
import type { GarbageSettings } from './garbage-settings.ts';
import type { HostEvidence, HostView } from './host-view.ts';
import { type ContainerJudgement, judgeContainers, leakId } from './judge-containers.ts';
import { afterLook, NO_SUSPICION } from './suspicion.ts';

export interface ContainerPorts {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: () => number;
  readonly host: HostView;
  readonly report: GarbageReport;
}

export interface ContainerCollector {
  /** Rejects with what the datastore, the kernel and the runtime's files throw: then nothing is known, and nothing collected. */
  readonly look: (state: ClusterState, deadline: Deadline) => Promise<void>;
}

/** How long plugins wait for their turn while some are collected. */
const COLLECTED_PER_TURN = 16;
/** The node's turn comes, or there is another look. */
const WAIT_BUDGET_MS = 10_000;
/** Plugins wait meanwhile: less than makes them go on without their turn. */
const TURN_BUDGET_MS = 5_000;

export function createContainerCollector(
  interfacePrefix: string,
  { mode, graceMs }: GarbageSettings,
  ports: ContainerPorts,
): ContainerCollector {
  const { store, clock, random, host, report } = ports;
  const isDryRun = mode !== 'on';
  let suspicion = NO_SUSPICION;

  async function see(state: ClusterState, deadline: Deadline): Promise<ContainerJudgement> {
    const { nodeName } = state;
    const madeBeforeNs = clock.nowNs() - BigInt(Math.ceil(graceMs * 1e6));
    const allocations = await readAllocations(state, store, deadline);
    const evidence = host.look();
    if (areAllOnHost(allocations, state, evidence)) return { leaks: [], held: [] };
    const endpoints = await readEndpoints(state, store, deadline);
    const naming = { nodeName, sha1Hex, prefix: interfacePrefix };
    return judgeContainers({ naming, madeBeforeNs }, { allocations, endpoints, ...evidence });
  }

  /** In the node's turn: no ADD or DEL writes its records between this look and the transactions. */
  async function collect(
    state: ClusterState,
    ids: readonly string[],
    { interruption }: Deadline,
  ): Promise<void> {
    const lock = await host.lock(deadlineIn(clock, WAIT_BUDGET_MS, 'the IPAM lock', interruption));
    if (!lock.isHeld) {
      report.leave('containers', { why: lock.reason });
      return;
    }
    try {
      const deadline = deadlineIn(clock, TURN_BUDGET_MS, 'the collection of garbage', interruption);
      // First: whatever an ADD has made by the time that it is over is seen by the look.
      const isCalled = host.findCalls();
      const { leaks } = await see(state, deadline);
      const due = leaks.filter((leak) => ids.includes(leakId(leak)) && !isCalled(leak.containerId));
      for (const leak of due) await releaseOrLeave(state, leak, deadline);
    } finally {
      lock.release();
    }
  }

  /** What cannot be understood is of one container, and the others are collected all the same. */
  async function releaseOrLeave(state: ClusterState, leak: Leak, deadline: Deadline): Promise<void> {
    try {
      await release(state, leak, deadline);
    } catch (error) {
      if (!isCalicoError(error, 'corrupt', 'conflict', 'config')) throw error;
      report.leave('container', { ...fieldsOf(leak), why: error.message });
    }
  }

  async function release({ nodeName }: ClusterState, whole: Leak, deadline: Deadline): Promise<void> {
    for (const leak of batches([whole]).flat()) {
      const inputs = { leak, nodeName, nowNs: clock.nowNs(), isDryRun };
      const outcome = await settle({
        ...{ store, deadline, clock, random },
        ranges: leakRanges(inputs),
        decide: (view) => decideLeak(inputs, view),
      });
      const fields = fieldsOf(leak);
      if (!outcome.isDone) {
        report.leave('container', { ...fields, why: outcome.why });
        return;
      }
      const { released, endpoints } = outcome;
      const counts = { containers: 1, addresses: released.length, endpoints: endpoints.length };
      report.collect('container', counts, fields);
    }
  }
  return {
    look: async (state, deadline) => {
      const beganMs = clock.monotonicMs();
      const { leaks, held } = await see(state, deadline);
      const times = { beganMs, endedMs: clock.monotonicMs() };
      const after = afterLook(suspicion, leaks.map(leakId), times, graceMs);
      suspicion = after.suspicion;
      report.see({ suspects: leaks.length, held });
      for (const leak of leaks) report.suspect('a container looks gone', fieldsOf(leak));
      if (isDryRun) {
        for (const leak of leaks.filter((one) => after.confirmed.has(leakId(one))))
          await releaseOrLeave(state, leak, deadline);
        return;
      }
      for (const ids of inPieces([...after.confirmed], () => 1, COLLECTED_PER_TURN))
        await collect(state, ids, deadline);
    },
  };
}

/** Of the blocks that the node has addresses in, its own or another's. */
async function readAllocations(
  { nodeName, blocks }: ClusterState,
  store: Store,
  deadline: Deadline,
): Promise<readonly SeenAllocation[]> {
  const own = [...blocks.values()].filter(
    ({ owner, borrowed }) => owner === nodeName || borrowed.some((address) => address.nodeName === nodeName),
  );
  const view = await readAll(
    store,
    own.map(({ cidr }) => blockRange(cidr)),
    deadline,
  );
  const read = [...ipamFacts(view, { nodeName }, () => undefined).blocks.values()];
  return read
    .flatMap((stored) => (stored === undefined ? [] : allocationsOf(stored.value)))
    .filter(({ owner }) => owner.node === nodeName);
}

/** The usual case: each address of a container is an endpoint's that the agent knows, and whose interface is there. */
function areAllOnHost(
  allocations: readonly SeenAllocation[],
  { endpoints }: ClusterState,
  { interfaces }: HostEvidence,
): boolean {
  const wired = [...endpoints.values()].filter(({ interfaceName }) => interfaces.has(interfaceName));
  const live = new Set(wired.flatMap(({ addresses }) => addresses.map(formatIpAddress)));
  return allocations.every(
    (seen) => holderKind(seen) !== 'container' || live.has(formatIpAddress(addressOfAllocation(seen))),
  );
}

/** Rejects with `corrupt` when one cannot be read: nothing is then known of its container. */
async function readEndpoints(
  { endpoints, unreadable }: ClusterState,
  store: Store,
  deadline: Deadline,
): Promise<readonly WorkloadEndpoint[]> {
  const keys = [...endpoints.keys(), ...unreadable.keys()].filter((key) =>
    key.startsWith(WORKLOAD_ENDPOINTS_PREFIX),
  );
  const view = await readAll(
    store,
    [...new Set(keys)].map((key) => ({ key })),
    deadline,
  );
  return knownEndpoints(view, (text) => {
    throw new CalicoError('corrupt', text, {
      details: 'repair or delete it: until then nothing is collected',
    });
  }).map(({ value }) => value);
}

function fieldsOf({ containerId, allocations, endpoints }: Leak) {
  const [{ handleId = undefined, owner = {} } = {}] = allocations;
  return {
    container: containerId,
    handle: handleId,
    addresses: allocations.map((seen) => formatIpAddress(addressOfAllocation(seen))).join(','),
    endpoints: endpoints.map(({ namespace, name }) => `${namespace}/${name}`).join(',') || undefined,
    pod: owner.pod === undefined ? undefined : `${owner.namespace}/${owner.pod}`,
    assigned: owner.timestamp,
  };
}
