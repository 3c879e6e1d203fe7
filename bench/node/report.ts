/** What `make bench-node` prints. Pure. */

import { percentile } from '../statistics.ts';
import { formatTable } from '../table.ts';
import type { RepairResult } from './repairs.ts';
import type { SizeResult } from './sizes.ts';
import type { SpreadResult } from './three-hosts.ts';

export interface NodeResults {
  readonly spread: SpreadResult;
  /** By size, the smallest first. */
  readonly sizes: readonly SizeResult[];
  readonly repairs: readonly RepairResult[];
}

export function nodeReport(results: NodeResults): string {
  return [spreadTable(results), sizeTable(results), repairTable(results), goalTable(results)].join('\n\n');
}

function spreadTable({ spread: { blockMs, addMs } }: NodeResults): string {
  const row = (what: string, ms: readonly number[]) => [what, ...quantiles(ms)];
  const rows = [
    row('a block is written to etcd', blockMs),
    row('an ADD that claims a block has ended', addMs),
  ];
  return `Routed on all of three hosts, ms after …\n${formatTable(['', 'p50', 'p95', 'longest'], rows)}`;
}

function sizeTable({ sizes }: NodeResults): string {
  const head = [
    'nodes',
    'first sync ms',
    'CPU ms',
    'peak MB',
    'block added p50',
    'p95',
    'removed p50',
    'p95',
    'CPU ms',
    'CPU ms, a pod',
    'a pod here',
  ];
  const rows = sizes.map((size) => [
    size.nodes.toLocaleString('en'),
    percentile(size.firstSyncMs, 0.5).toFixed(0),
    percentile(size.firstSyncCpuMs, 0.5).toFixed(0),
    size.peakMb.toFixed(0),
    ...[size.addedMs, size.removedMs].flatMap((ms) => quantiles(ms).slice(0, 2)),
    size.changeCpuMs.toFixed(1),
    size.podCpuMs.toFixed(1),
    size.ownPodCpuMs.toFixed(1),
  ]);
  return `One agent in clusters of so many nodes with 4 blocks and 64 pods each\n${formatTable(head, rows)}`;
}

function repairTable({ repairs, sizes }: NodeResults): string {
  const nodes = sizes.at(-1)?.nodes.toLocaleString('en');
  const rows = repairs.map(({ what, ms }) => [what, ...quantiles(ms)]);
  return `Repaired among ${nodes} nodes, ms after …\n${formatTable(['', 'p50', 'p95', 'longest'], rows)}`;
}

function quantiles(ms: readonly number[]): readonly string[] {
  return [percentile(ms, 0.5), percentile(ms, 0.95), Math.max(...ms)].map((value) => value.toFixed(1));
}

interface Goal {
  readonly what: string;
  readonly limit: number;
  readonly found: number;
}

/** Each goal, its limit, what was found, and whether it holds. */
export function goalTable({ spread, sizes, repairs }: NodeResults): string {
  const [smallest, largest] = [sizes[0], sizes.at(-1)];
  const nodes = `${largest?.nodes.toLocaleString('en')} nodes`;
  const changeMs = (size: SizeResult | undefined) => percentile(size?.addedMs ?? [], 0.5);
  const goals: readonly Goal[] = [
    { what: 'a new block is routed on all hosts, p50 ms', limit: 50, found: percentile(spread.blockMs, 0.5) },
    {
      what: `first sync of ${nodes}, p50 s`,
      limit: 3,
      found: percentile(largest?.firstSyncMs ?? [], 0.5) / 1000,
    },
    { what: `memory with ${nodes}, peak MB`, limit: 150, found: largest?.peakMb ?? Number.NaN },
    {
      what: `a change among ${nodes}, times among ${smallest?.nodes}`,
      limit: 1.5,
      found: changeMs(largest) / changeMs(smallest),
    },
    {
      what: 'damage is repaired, longest s',
      limit: 1,
      found: Math.max(...repairs.flatMap(({ isChange, ms }) => (isChange ? [] : ms))) / 1000,
    },
  ];
  const rows = goals.map(({ what, limit, found }) => [
    what,
    `≤ ${limit}`,
    found.toFixed(limit < 10 ? 2 : 1),
    found <= limit ? 'holds' : 'missed',
  ]);
  return `Goals\n${formatTable(['', 'goal', 'found', ''], rows)}`;
}
