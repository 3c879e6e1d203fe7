/**
 * `make bench`: ADD and DEL of the executable, beside ptp with host-local and beside processes that do nothing.
 * All in one run and in turns, so that a busy machine is as bad for one as for the other.
 */

import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeCluster } from '../test/support/cluster.ts';
import { type Etcd, startEtcd } from '../test/support/etcd.ts';
import { executable } from '../test/support/executable.ts';
import { output } from '../test/support/run.ts';
import { REPOSITORY } from '../test/support/tools.ts';
import { goals } from './goals.ts';
import { type Measurement, measure } from './measure.ts';
import { mean, percentile } from './statistics.ts';
import { type Subject, subjects, type Verb } from './subjects.ts';
import { formatTable } from './table.ts';

/** How many at once, and how often that is repeated. */
const LOADS = [
  { parallel: 1, rounds: 40 },
  { parallel: 8, rounds: 6 },
  { parallel: 32, rounds: 3 },
] as const;
const RESULTS = join(REPOSITORY, 'dist/bench.json');

/** All runs of one subject and verb under one load. */
interface Series {
  readonly subject: string;
  readonly verb: string;
  readonly parallel: number;
  readonly samples: Measurement[];
  /** From the start of a group to the end of its last, divided by the size of the group. */
  readonly msPerPod: number[];
  readonly etcdRequests: number[];
}

const folder = mkdtempSync(join(tmpdir(), 'bench-'));
await using resources = new AsyncDisposableStack();
const etcd = await startEtcd();
resources.defer(() => etcd.stop());
await writeCluster(etcd);
const embeddedPath = join(folder, 'calico.db');
await output([
  executable('calico'),
  ...['bootstrap', '--pool', '192.168.0.0/16', '--node', 'node1'],
  ...['--datastore-type', 'embedded', '--datastore-path', embeddedPath],
]);
const contestants = subjects(folder, etcd.endpoint, embeddedPath);
const pods = await makePods(Math.max(...LOADS.map(({ parallel }) => parallel)));

// The first runs read files from disk and claim the first block.
for (const subject of contestants) await runGroup(subject, pods.slice(0, 1), etcd, new Map());

const series = new Map<string, Series>();
for (const { parallel, rounds } of LOADS) {
  for (let round = 0; round < rounds; round++) {
    for (const subject of contestants) await runGroup(subject, pods.slice(0, parallel), etcd, series);
  }
}
process.stdout.write(`${report([...series.values()])}\n`);
mkdirSync(join(REPOSITORY, 'dist'), { recursive: true });
writeFileSync(RESULTS, JSON.stringify({ at: new Date(), series: [...series.values()] }, null, 2));
process.stdout.write(`\nAll samples: ${RESULTS}\n`);

async function makePods(count: number): Promise<readonly string[]> {
  const names = Array.from({ length: count }, (_, index) => `bench-pod-${index}`);
  for (const name of names) await output(['ip', 'netns', 'add', name]);
  return names;
}

/** One ADD and one DEL of every pod, or one run for every pod of a subject that has no verbs. */
async function runGroup(
  subject: Subject,
  group: readonly string[],
  etcd: Etcd,
  series: Map<string, Series>,
): Promise<void> {
  for (const verb of subject.verbs.length === 0 ? [undefined] : subject.verbs) {
    const before = await countRequests(etcd);
    const measurements = measure(
      group.map((pod) => subject.command(verb, pod)),
      folder,
    );
    const requests = (await countRequests(etcd)) - before;
    const { samples, msPerPod, etcdRequests } = seriesOf(series, subject, verb, group.length);
    samples.push(...measurements);
    msPerPod.push(Math.max(...measurements.map(({ wallMs }) => wallMs)) / group.length);
    etcdRequests.push(requests / group.length);
  }
}

function seriesOf(
  series: Map<string, Series>,
  subject: Subject,
  verb: Verb | undefined,
  parallel: number,
): Series {
  const key = `${parallel} ${verb} ${subject.name}`;
  const found = series.get(key) ?? {
    subject: subject.name,
    verb: verb ?? 'run',
    parallel,
    samples: [],
    msPerPod: [],
    etcdRequests: [],
  };
  series.set(key, found);
  return found;
}

/** Requests that plugins make: our own, through the gateway, are made before and after. */
async function countRequests(etcd: Etcd): Promise<number> {
  const counts = await etcd.requestCounts();
  return [...counts.values()].reduce((sum, count) => sum + count, 0);
}

function report(all: readonly Series[]): string {
  const head = ['', 'p50 ms', 'p95 ms', 'p99 ms', 'ms per pod', 'CPU ms', 'peak MB', 'etcd requests'];
  const tables = LOADS.map(({ parallel, rounds }) => {
    const title = `${parallel === 1 ? 'One at a time' : `${parallel} at once`}, ${rounds} rounds`;
    const rows = all.filter((one) => one.parallel === parallel).map(row);
    return `${title}\n${formatTable(head, rows)}`;
  });
  const { length: cores, 0: cpu } = cpus();
  const verdicts = goals(all.filter(({ parallel }) => parallel === 1));
  return [`${cores} × ${cpu?.model}, Node.js ${process.version}`, ...tables, verdicts].join('\n\n');
}

function row({ subject, verb, samples, msPerPod, etcdRequests }: Series): readonly string[] {
  const wall = samples.map(({ wallMs }) => wallMs);
  const numbers = [
    percentile(wall, 0.5),
    percentile(wall, 0.95),
    percentile(wall, 0.99),
    percentile(msPerPod, 0.5),
    mean(samples.map(({ cpuMs }) => cpuMs)),
    Math.max(...samples.map(({ peakRssMb }) => peakRssMb)),
    mean(etcdRequests),
  ];
  return [`${subject}${verb === 'run' ? '' : ` ${verb}`}`, ...numbers.map((value) => value.toFixed(1))];
}
