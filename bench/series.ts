/** The samples of one run of the benchmark, and the tables they make. Pure but for what is pushed. */

import type { Traffic } from '../test/support/etcd-data.ts';
import type { Measurement } from './measure.ts';
import { mean, percentile } from './statistics.ts';
import { formatTable } from './table.ts';

/** All runs of one subject and verb under one load. */
export interface Series {
  readonly subject: string;
  readonly verb: string;
  readonly parallel: number;
  readonly samples: Measurement[];
  /** From the start of a group to the end of its last, divided by the size of the group. */
  readonly msPerPod: number[];
  /** Of one call on average, per group. */
  readonly traffic: Traffic[];
}

const HEAD = [
  '',
  'p50 ms',
  'p95 ms',
  'p99 ms',
  'ms per pod',
  'CPU ms',
  'peak MB',
  'etcd requests',
  'bytes to etcd',
  'from etcd',
];

export function seriesTable(title: string, all: readonly Series[]): string {
  return `${title}\n${formatTable(HEAD, all.map(row))}`;
}

function row({ subject, verb, samples, msPerPod, traffic }: Series): readonly string[] {
  const wall = samples.map(({ wallMs }) => wallMs);
  const times = [
    percentile(wall, 0.5),
    percentile(wall, 0.95),
    percentile(wall, 0.99),
    percentile(msPerPod, 0.5),
    mean(samples.map(({ cpuMs }) => cpuMs)),
    Math.max(...samples.map(({ peakRssMb }) => peakRssMb)),
  ];
  return [
    verb === 'run' ? subject : `${subject} ${verb}`,
    ...times.map((value) => value.toFixed(1)),
    ...(traffic.length === 0 ? ['', '', ''] : trafficCells(traffic)),
  ];
}

function trafficCells(traffic: readonly Traffic[]): readonly string[] {
  return [
    mean(traffic.map(({ requests }) => requests)).toFixed(1),
    mean(traffic.map(({ receivedBytes }) => receivedBytes)).toFixed(0),
    mean(traffic.map(({ sentBytes }) => sentBytes)).toFixed(0),
  ];
}
