/** What a call may cost, against an empty process measured in the same run. Pure. */

import type { Measurement } from './measure.ts';
import { mean, percentile } from './statistics.ts';
import { EMPTY_PROCESS } from './subjects.ts';
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

const SUBJECT = 'calico, etcd';

/** A table: each goal, its limit, what was found, and whether it holds. */
export function goals(all: readonly Samples[]): string {
  const median = (subject: string, verb: string) =>
    percentile(
      samplesOf(all, subject, verb).map(({ wallMs }) => wallMs),
      0.5,
    );
  const emptyMs = median(EMPTY_PROCESS, 'run');
  const adds = samplesOf(all, SUBJECT, 'ADD');
  const table: readonly Goal[] = [
    { what: 'ADD, times an empty process', limit: 2.0, found: median(SUBJECT, 'ADD') / emptyMs },
    { what: 'DEL, times an empty process', limit: 2.2, found: median(SUBJECT, 'DEL') / emptyMs },
    { what: 'ADD, ms of CPU', limit: 55, found: mean(adds.map(({ cpuMs }) => cpuMs)) },
    { what: 'ADD, peak MB', limit: 60, found: Math.max(...adds.map(({ peakRssMb }) => peakRssMb)) },
  ];
  const rows = table.map(({ what, limit, found }) => [
    what,
    `≤ ${limit}`,
    found.toFixed(1),
    found <= limit ? 'holds' : 'missed',
  ]);
  return `Goals\n${formatTable(['', 'goal', 'found', ''], rows)}`;
}

function samplesOf(all: readonly Samples[], subject: string, verb: string): readonly Measurement[] {
  return all.find((one) => one.subject === subject && one.verb === verb)?.samples ?? [];
}
