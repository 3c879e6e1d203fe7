/** What the collection of garbage tells: lines of the log, and numbers for whoever asks. */

import type { Clock } from '../../base/deadline.ts';
import type { Log, LogFields } from '../../base/log.ts';
import type { GarbageMode, GarbageSettings } from './garbage-settings.ts';
import type { Held } from './judge-containers.ts';

/** What went back. */
export interface GarbageCounts {
  readonly containers: number;
  readonly addresses: number;
  readonly endpoints: number;
  readonly blocks: number;
  readonly affinities: number;
}

/** How things stand, as a value. */
export interface GarbageStatus {
  readonly mode: GarbageMode;
  readonly graceMs: number;
  readonly looks: number;
  readonly failedLooks: number;
  /** Why the last look failed; `undefined`: it did not. */
  readonly failure: string | undefined;
  /** Wall clock, nanoseconds since the epoch; `undefined`: there was no look yet. */
  readonly lastLookNs: bigint | undefined;
  /** Containers of this node that look gone, collected or not yet. */
  readonly suspects: number;
  /** Addresses that nobody seems to use and that stay, and why. */
  readonly held: readonly Held[];
  /** Whether this agent looks after what removed nodes have left. */
  readonly isCollector: boolean;
  /** Nodes that are gone and have left something. */
  readonly removedNodes: readonly string[];
  /** Since the agent began; in a dry run what would be collected now. */
  readonly collected: GarbageCounts;
}

export const NOTHING_COLLECTED: GarbageCounts = {
  containers: 0,
  addresses: 0,
  endpoints: 0,
  blocks: 0,
  affinities: 0,
};

type Seen = Pick<GarbageStatus, 'suspects' | 'held' | 'isCollector' | 'removedNodes'>;

export interface GarbageReport {
  readonly status: () => GarbageStatus;
  readonly lookBegins: () => void;
  /** `failure`: why not everything could be looked at. */
  readonly lookEnds: (failure: string | undefined) => void;
  readonly see: (seen: Partial<Seen>) => void;
  /** That something looks like garbage: told once, for as long as it does. */
  readonly suspect: (what: string, fields: LogFields) => void;
  /** That something is collected, or in a dry run would be. */
  readonly collect: (what: string, counts: Partial<GarbageCounts>, fields: LogFields) => void;
  /** That something stays. Told once, for as long as it is so. */
  readonly leave: (what: string, fields: LogFields) => void;
}

export function createGarbageReport(
  { mode, graceMs }: GarbageSettings,
  { clock, log }: { readonly clock: Clock; readonly log: Log },
): GarbageReport {
  let status: GarbageStatus = {
    ...{ mode, graceMs, looks: 0, failedLooks: 0, failure: undefined, lastLookNs: undefined },
    ...{ suspects: 0, held: [], isCollector: false, removedNodes: [], collected: NOTHING_COLLECTED },
  };
  let toldBefore: ReadonlySet<string> = new Set();
  let told = new Set<string>();
  const isDryRun = mode === 'dry-run';

  /** What is so at every look is a line at the first. */
  function tellOnce(level: 'info' | 'warn', text: string, fields: LogFields): void {
    const id = `${text} ${JSON.stringify(fields)}`;
    if (!told.has(id) && !toldBefore.has(id)) log[level](text, fields);
    told.add(id);
  }
  return {
    status: () => status,
    lookBegins: () => {
      toldBefore = told;
      told = new Set();
      if (isDryRun) status = { ...status, collected: NOTHING_COLLECTED };
    },
    lookEnds: (failure) => {
      if (failure !== undefined) tellOnce('warn', 'garbage: not everything could be looked at', { failure });
      const failedLooks = status.failedLooks + (failure === undefined ? 0 : 1);
      status = { ...status, looks: status.looks + 1, failedLooks, failure, lastLookNs: clock.nowNs() };
    },
    see: (seen) => {
      status = { ...status, ...seen };
      for (const { handleId, addresses, why } of seen.held ?? [])
        tellOnce('info', 'garbage: left alone', { handle: handleId, addresses: addresses.join(','), why });
    },
    suspect: (what, fields) => tellOnce('info', `garbage: ${what}`, fields),
    collect: (what, counts, fields) => {
      status = { ...status, collected: sum(status.collected, counts) };
      if (isDryRun) tellOnce('info', `garbage: would collect ${what}`, fields);
      else log.info(`garbage: collected ${what}`, fields);
    },
    leave: (what, fields) => tellOnce('info', `garbage: left ${what} alone`, fields),
  };
}

function sum(before: GarbageCounts, more: Partial<GarbageCounts>): GarbageCounts {
  return {
    containers: before.containers + (more.containers ?? 0),
    addresses: before.addresses + (more.addresses ?? 0),
    endpoints: before.endpoints + (more.endpoints ?? 0),
    blocks: before.blocks + (more.blocks ?? 0),
    affinities: before.affinities + (more.affinities ?? 0),
  };
}
