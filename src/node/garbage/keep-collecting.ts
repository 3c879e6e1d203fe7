/** Looks for garbage now and then for as long as the agent lives, and tells what it finds. */

import { CalicoError, errorText } from '../../base/calico-error.ts';
import { type Clock, type Deadline, deadlineIn } from '../../base/deadline.ts';
import type { Interruption } from '../../base/interruption.ts';
import type { Log } from '../../base/log.ts';
import { pause } from '../../base/pause.ts';
import type { Leases } from '../../datastore/leases.ts';
import type { Store } from '../../datastore/store.ts';
import type { ClusterState } from '../cluster.ts';
import type { Claimant } from '../registration/name-claim.ts';
import { createContainerCollector } from './collect-containers.ts';
import { createRemovedNodeCollector } from './collect-removed-nodes.ts';
import { createCollectorRole } from './collector-role.ts';
import { createGarbageReport, type GarbageStatus } from './garbage-report.ts';
import { type GarbageSettings, LONGEST_ADD_MS } from './garbage-settings.ts';
import { createHostView, type HostView } from './host-view.ts';
import { lookAgainMs } from './suspicion.ts';

export interface GarbagePorts {
  readonly store: Store;
  readonly leases: Leases;
  readonly clock: Clock;
  readonly random: { readonly fraction: () => number };
  readonly log: Log;
  /** How names of host interfaces of pods begin. */
  readonly interfacePrefix: string;
  /** For tests; else the real one. */
  readonly host?: HostView;
}

export interface GarbageCollector {
  readonly onCluster: (state: ClusterState) => void;
  /** Until it is interrupted; at once when it is off. Failures are told, and there is another look. */
  readonly keep: (interruption: Interruption) => Promise<void>;
  readonly status: () => GarbageStatus;
}

const LOOK_BUDGET_MS = 60_000;
const END_BUDGET_MS = 5_000;

export function createGarbageCollector(
  claimant: Claimant,
  settings: GarbageSettings,
  ports: GarbagePorts,
): GarbageCollector {
  const { store, leases, clock, log, host } = ports;
  const { mode, graceMs, cniCache } = settings;
  const random = ports.random.fraction;
  const report = createGarbageReport(settings, ports);
  const roleSeconds = Math.ceil(Math.max(30_000, 3 * lookAgainMs(graceMs, 1)) / 1_000);
  const role = createCollectorRole(claimant, { store, leases, clock }, roleSeconds);
  const view = host ?? createHostView(cniCache, clock);
  const containers = createContainerCollector(ports.interfacePrefix, settings, {
    ...{ store, clock, random, report },
    host: view,
  });
  const nodes = createRemovedNodeCollector(settings, { store, clock, random, report, role });
  let state: ClusterState | undefined;

  /** What the one cannot look at is no reason for the other not to. */
  async function look(cluster: ClusterState, interruption: Interruption): Promise<void> {
    const deadline = deadlineIn(clock, LOOK_BUDGET_MS, 'the look for garbage', interruption);
    report.lookBegins();
    const failures = [
      await failureOf(() => containers.look(cluster, deadline)),
      await failureOf(() => nodes.look(cluster, deadline)),
    ].filter((failure) => failure !== undefined);
    if (interruption.signal() === undefined) report.lookEnds(failures.join('; ') || undefined);
  }

  return {
    onCluster: (cluster) => {
      state = cluster;
      nodes.onCluster(cluster);
    },
    keep: async (interruption) => {
      if (mode === 'off') return;
      log.info('garbage: is looked for', { mode, grace: `${graceMs / 1_000}s` });
      if (mode === 'on' && graceMs < LONGEST_ADD_MS)
        log.warn('garbage: the grace period is shorter than an ADD may take', {
          grace: `${graceMs / 1_000}s`,
        });
      while (interruption.signal() === undefined) {
        await pause({ clock, interruption }, lookAgainMs(graceMs, random()));
        if (interruption.signal() === undefined && state?.isDatastoreReady === true)
          await look(state, interruption);
      }
      await role.release(endDeadline(clock));
    },
    status: report.status,
  };
}

function endDeadline(clock: Clock): Deadline {
  return deadlineIn(clock, END_BUDGET_MS, 'giving up the collection of garbage');
}

async function failureOf(work: () => Promise<void>): Promise<string | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    const details = error instanceof CalicoError ? error.details : undefined;
    return [errorText(error), details].filter(Boolean).join(': ');
  }
}
