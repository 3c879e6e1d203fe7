/** What a call may cost, against an empty process measured in the same run. Pure. */

import type { Measurement } from './measure.ts';
import { mean, percentile } from './statistics.ts';
import { CLUSTER_SIZES, EMPTY_PROCESS, ON_ETCD, onFilledEtcd } from './subjects.ts';
import { formatTable } from './table.ts';

/** The samples of one subject and verb, one at a time. */
export interface Samples {
  readonly subject: string;
  readonly verb: string;
  readonly samples: readonly Measurement[];
}

interface Goal {
  readonly what: string;
  readonly limit: number;
  readonly found: number;
}

/** A table: each goal, its limit, what was found, and whether it holds. Goals about what was not measured are left out. */
export function goals(all: readonly Samples[]): string {
  const median = (subject: string, verb: string) =>
    percentile(
      samplesOf(all, subject, verb).map(({ wallMs }) => wallMs),
      0.5,
    );
  const emptyMs = median(EMPTY_PROCESS, 'run');
  const adds = samplesOf(all, ON_ETCD, 'ADD');
  const table: readonly Goal[] = [
    { what: 'ADD, times an empty process', limit: 2.0, found: median(ON_ETCD, 'ADD') / emptyMs },
    { what: 'DEL, times an empty process', limit: 2.2, found: median(ON_ETCD, 'DEL') / emptyMs },
    { what: 'ADD, ms of CPU', limit: 55, found: mean(adds.map(({ cpuMs }) => cpuMs)) },
    { what: 'ADD, peak MB', limit: 60, found: Math.max(...adds.map(({ peakRssMb }) => peakRssMb)) },
    ...CLUSTER_SIZES.map((pods) => ({
      what: `ADD among ${pods.toLocaleString('en')} pods, times among none`,
      limit: 1.1,
      found: median(onFilledEtcd(pods), 'ADD') / median(ON_ETCD, 'ADD'),
    })),
  ];
  const rows = table
    .filter(({ found }) => !Number.isNaN(found))
    .map(({ what, limit, found }) => [
      what,
      `≤ ${limit}`,
      found.toFixed(limit < 10 ? 2 : 1),
      found <= limit ? 'holds' : 'missed',
    ]);
  return `Goals\n${formatTable(['', 'goal', 'found', ''], rows)}`;
}

function samplesOf(all: readonly Samples[], subject: string, verb: string): readonly Measurement[] {
  return all.find((one) => one.subject === subject && one.verb === verb)?.samples ?? [];
}
