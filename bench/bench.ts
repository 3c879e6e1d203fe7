/**
 * `make bench`: ADD and DEL of the executable on its datastores, beside ptp with host-local and beside processes that
 * do nothing. All in one run and in turns, so that a busy machine is as bad for one as for the other.
 *
 * `--goals` measures only what the goals speak of.
 */

import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Etcd } from '../test/support/etcd.ts';
import type { Traffic } from '../test/support/etcd-data.ts';
import { output } from '../test/support/run.ts';
import { REPOSITORY } from '../test/support/tools.ts';
import { embedded, kubernetes, plainEtcd, tlsEtcd } from './datastores.ts';
import { goals } from './goals.ts';
import { measure } from './measure.ts';
import { type Series, seriesTable } from './series.ts';
import {
  CLUSTER_SIZES,
  calico,
  idleProcesses,
  ON_ETCD,
  onFilledEtcd,
  ptp,
  type Subject,
  type Verb,
} from './subjects.ts';
import { drawWaterfall, parsePhases, type Span, wholeCall } from './waterfall.ts';

const ONLY_GOALS = process.argv.includes('--goals');
/** How many at once, and how often that is repeated. */
const LOADS = ONLY_GOALS
  ? [{ parallel: 1, rounds: 25 }]
  : [
      { parallel: 1, rounds: 40 },
      { parallel: 8, rounds: 6 },
      { parallel: 32, rounds: 3 },
    ];
const RESULTS = join(REPOSITORY, 'dist/bench.json');
const PICTURE = join(REPOSITORY, 'dist/one-add.svg');
const PICTURE_ROUNDS = 15;

const folder = mkdtempSync(join(tmpdir(), 'bench-'));
await using resources = new AsyncDisposableStack();
const etcd = await plainEtcd(resources, 0);
const pods = await makePods(Math.max(...LOADS.map(({ parallel }) => parallel)));
const contestants = [
  calico(folder, ON_ETCD, etcd, true),
  ...(await Promise.all(
    CLUSTER_SIZES.map(async (pods) =>
      calico(folder, onFilledEtcd(pods), await plainEtcd(resources, pods), false),
    ),
  )),
  ...(ONLY_GOALS ? [] : await others()),
  ...idleProcesses(),
];

// The first runs read files from disk and claim the first block.
for (const subject of contestants) await runGroup(subject, pods.slice(0, 1), new Map());

const series = new Map<string, Series>();
for (const { parallel, rounds } of LOADS) {
  const taking = contestants.filter(({ inParallel }) => inParallel || parallel === 1);
  for (let round = 0; round < rounds; round++) {
    for (const subject of taking) await runGroup(subject, pods.slice(0, parallel), series);
  }
}
const all = [...series.values()];
mkdirSync(join(REPOSITORY, 'dist'), { recursive: true });
process.stdout.write(`${report(all)}\n`);
if (!ONLY_GOALS) {
  writeFileSync(RESULTS, JSON.stringify({ at: new Date(), series: all }, null, 2));
  writeFileSync(PICTURE, drawWaterfall(`One ADD on etcd (${machine()})`, typicalAdd()));
  process.stdout.write(`\nAll samples: ${RESULTS}\nOne ADD as a picture: ${PICTURE}\n`);
}

async function others(): Promise<readonly Subject[]> {
  const etcdOfPods = await plainEtcd(resources, 0);
  const settings = await kubernetes(resources, etcdOfPods, pods);
  const argsOf = (pod: string) => `IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=${pod}`;
  return [
    ...(settings === undefined
      ? []
      : [calico(folder, 'calico, Kubernetes', etcdOfPods, true, settings, argsOf)]),
    calico(folder, 'calico, etcd with TLS', await tlsEtcd(resources, folder), true),
    calico(folder, 'calico, embedded', await embedded(folder), true),
    ptp(folder),
  ];
}

async function makePods(count: number): Promise<readonly string[]> {
  const names = Array.from({ length: count }, (_, index) => `bench-pod-${index}`);
  for (const name of names) await output(['ip', 'netns', 'add', name]);
  return names;
}

/** One ADD and one DEL of every pod, or one run for every pod of a subject that has no verbs. */
async function runGroup(
  subject: Subject,
  group: readonly string[],
  series: Map<string, Series>,
): Promise<void> {
  for (const verb of subject.verbs.length === 0 ? [undefined] : subject.verbs) {
    const before = await trafficOf(subject.etcd);
    const measurements = measure(
      group.map((pod) => subject.command(verb, pod)),
      folder,
    );
    const after = await trafficOf(subject.etcd);
    const { samples, msPerPod, traffic } = seriesOf(series, subject, verb, group.length);
    samples.push(...measurements);
    msPerPod.push(Math.max(...measurements.map(({ wallMs }) => wallMs)) / group.length);
    if (before !== undefined && after !== undefined) traffic.push(perCall(before, after, group.length));
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
    traffic: [],
  };
  series.set(key, found);
  return found;
}

/** What plugins cause: our own calls, through the gateway, are made before and after. */
async function trafficOf(etcd: Etcd | undefined): Promise<Traffic | undefined> {
  return etcd?.traffic();
}

function perCall(before: Traffic, after: Traffic, calls: number): Traffic {
  return {
    requests: (after.requests - before.requests) / calls,
    receivedBytes: (after.receivedBytes - before.receivedBytes) / calls,
    sentBytes: (after.sentBytes - before.sentBytes) / calls,
  };
}

function report(all: readonly Series[]): string {
  const tables = LOADS.map(({ parallel, rounds }) =>
    seriesTable(
      `${parallel === 1 ? 'One at a time' : `${parallel} at once`}, ${rounds} rounds`,
      all.filter((one) => one.parallel === parallel),
    ),
  );
  return [machine(), ...tables, goals(all.filter(({ parallel }) => parallel === 1))].join('\n\n');
}

function machine(): string {
  const { length: cores, 0: cpu } = cpus();
  return `${cores} × ${cpu?.model}, Node.js ${process.version}`;
}

/** The phases of the ADD that took the median time of a few. */
function typicalAdd(): readonly Span[] {
  const subject = calico(folder, 'picture', etcd, false, { log_level: 'debug' });
  const pod = pods[0] ?? '';
  const adds = Array.from({ length: PICTURE_ROUNDS }, () => {
    const [add] = measure([subject.command('ADD', pod)], folder);
    const log = readFileSync(join(folder, 'output-0'), 'utf8');
    measure([subject.command('DEL', pod)], folder);
    const wallMs = add?.wallMs ?? Number.NaN;
    return { wallMs, spans: wholeCall(parsePhases(log), wallMs) };
  });
  return adds.toSorted((a, b) => a.wallMs - b.wallMs)[PICTURE_ROUNDS >> 1]?.spans ?? [];
}
