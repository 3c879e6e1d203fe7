/** `calico ipam release`: gives back what nobody uses, and puts right what a check has found. */

import { Command } from 'commander';
import { CalicoError } from '../../base/calico-error.ts';
import { formatIpAddress } from '../../base/ip-address.ts';
import { readTextFile } from '../../base/private-file.ts';
import type { Repair } from '../../ipam/audit/repair.ts';
import type { CommandWorld, ExitCode } from '../command-world.ts';
import {
  commandDeadline,
  type DatastoreOptions,
  usingDatastore,
  withDatastoreOptions,
} from '../datastore-options.ts';
import { doRepair, type Repairing, type RepairOutcome } from './do-repair.ts';
import { addressesInUse, addressOf, repairsOfAddress, repairsOfHandle } from './find-repairs.ts';
import { showProgress } from './progress.ts';
import type { ClusterReading } from './read-cluster.ts';
import { parseReport } from './report.ts';

const BUDGET_MS = 600_000;

interface ReleaseOptions extends DatastoreOptions {
  readonly ip?: readonly string[];
  readonly handle?: readonly string[];
  readonly fromReport?: string;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

export function releaseCommand(world: CommandWorld, exit: (code: ExitCode) => void): Command {
  const command = new Command('release')
    .summary('give back addresses that nobody uses, and repair what a check has found')
    .description(
      'Releases addresses, all addresses of a handle, or all that a report of ipam check names. Everything is looked at once more: what has changed meanwhile, and every address of a workload endpoint, stays as it is.',
    )
    .option('--ip <address...>', 'this address')
    .option('--handle <id...>', 'all addresses of this handle')
    .option('--from-report <file>', 'all that the report says and that can be put right without a person')
    .option('--dry-run', 'tell what would be done, and do nothing')
    .option('-y, --yes', 'do not ask');
  return withDatastoreOptions(command).action(async (options: ReleaseOptions) => {
    const left = await usingDatastore(options, world, async (store) => {
      const deadline = commandDeadline(world, BUDGET_MS, 'ipam release');
      return release(options, world, { store, deadline, progress: showProgress(world) });
    });
    exit(left === 0 ? 0 : 1);
  });
}

/** How many things stay as they are. */
async function release(
  options: ReleaseOptions,
  world: CommandWorld,
  reading: ClusterReading,
): Promise<number> {
  const repairs = await findRepairs(options, world, reading);
  if (repairs.length === 0) {
    await world.writeStdout('nothing to release\n');
    return 0;
  }
  if (!(await isWanted(repairs.length, options, world))) {
    await world.writeStdout('nothing was changed\n');
    return repairs.length;
  }
  const used = await addressesInUse(repairs, reading);
  const isDryRun = options.dryRun === true;
  const outcomes: RepairOutcome[] = [];
  for (const repair of repairs.toSorted((a, b) => ORDER.indexOf(a.record) - ORDER.indexOf(b.record))) {
    const outcome = await repairUnlessUsed(repair, used, repairingOf(world, reading, isDryRun));
    outcomes.push(outcome);
    await world.writeStdout(`${lead(outcome, isDryRun)}${outcome.text}\n`);
  }
  return outcomes.filter(({ done }) => !done).length;
}

/** A block is empty, and its affinity of no use, after its addresses. */
const ORDER: readonly Repair['record'][] = ['address', 'handle', 'affinity', 'block'];

/** Throws `config` when it is not told what, `not-found` for what nobody has. */
async function findRepairs(
  { ip = [], handle = [], fromReport }: ReleaseOptions,
  world: CommandWorld,
  reading: ClusterReading,
): Promise<readonly Repair[]> {
  if (ip.length + handle.length === 0 && fromReport === undefined) {
    throw new CalicoError('config', 'nothing to release', {
      details: 'say what: --ip, --handle or --from-report',
    });
  }
  const repairs: Repair[] = [];
  for (const text of ip) repairs.push(...(await repairsOfAddress(text, reading)));
  for (const id of handle) repairs.push(...(await repairsOfHandle(id, reading)));
  if (fromReport !== undefined) repairs.push(...(await repairsOfReport(fromReport, world)));
  return distinct(repairs);
}

async function repairsOfReport(path: string, { writeStderr }: CommandWorld): Promise<readonly Repair[]> {
  const { findings } = parseReport(readTextFile(path), path);
  const others = findings.filter(({ repair }) => repair === undefined).length;
  if (others > 0)
    await writeStderr(
      `left to a person: ${others} of ${findings.length} findings; calico ipam check says what to do\n`,
    );
  return findings.flatMap(({ repair }) => repair ?? []);
}

/** Several findings may be about one record. */
function distinct(repairs: readonly Repair[]): readonly Repair[] {
  const name = (_: string, value: unknown) => (typeof value === 'bigint' ? value.toString() : value);
  return [...new Map(repairs.map((repair) => [JSON.stringify(repair, name), repair])).values()];
}

async function isWanted(
  count: number,
  { dryRun, yes }: ReleaseOptions,
  { ask }: CommandWorld,
): Promise<boolean> {
  if (dryRun || yes) return true;
  const answer = await ask(`Release ${count} thing${count === 1 ? '' : 's'}? [y/N] `);
  return answer === undefined || /^y(es)?$/i.test(answer.trim());
}

async function repairUnlessUsed(
  repair: Repair,
  used: ReadonlyMap<string, string>,
  repairing: Repairing,
): Promise<RepairOutcome> {
  const address = addressOf(repair);
  const user = address && used.get(formatIpAddress(address));
  return user === undefined ? doRepair(repair, repairing) : { done: false, text: user };
}

function repairingOf({ clock, random }: CommandWorld, reading: ClusterReading, isDryRun: boolean): Repairing {
  const { store, deadline } = reading;
  return { store, deadline, clock, random: random.fraction, isDryRun, warn: () => undefined };
}

function lead({ done }: RepairOutcome, isDryRun: boolean): string {
  if (!done) return 'left alone: ';
  return isDryRun ? 'would have ' : '';
}
