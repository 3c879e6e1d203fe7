/** `calico apply` and `calico create`: resources from a file into the datastore, all of them or none. */

import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { CalicoError, errorText } from '../../base/calico-error.ts';
import { formatRfc3339 } from '../../base/time.ts';
import { readAll } from '../../datastore/read-all.ts';
import { settle } from '../../datastore/settle.ts';
import { MAX_OPERATIONS, type Store } from '../../datastore/store.ts';
import { withSnapshot } from '../../datastore/view.ts';
import type { CommandWorld } from '../command-world.ts';
import {
  commandDeadline,
  type DatastoreOptions,
  usingDatastore,
  withDatastoreOptions,
} from '../datastore-options.ts';
import { examplesText } from '../help-text.ts';
import { APPLIED_KINDS } from './applied-kinds.ts';
import { checkDocument } from './check-resource.ts';
import { formatDifference } from './differences.ts';
import {
  type Applied,
  type ApplyRequest,
  applyRanges,
  type Candidate,
  decideApply,
  formatProblem,
  invalidResources,
} from './plan-apply.ts';
import { readDocuments } from './read-documents.ts';

const BUDGET_MS = 30_000;

interface ApplyOptions extends DatastoreOptions {
  readonly filename: string;
  readonly dryRun?: true;
}

type Verb = 'apply' | 'create';

const KINDS = APPLIED_KINDS.map(({ kind }) => kind).join(', ');

export function applyCommand(world: CommandWorld): Command {
  return writingCommand('apply', world)
    .summary('create or change pools, nodes, reservations and the IPAM configuration')
    .description(
      `Creates or changes resources (${KINDS}) from YAML or JSON: what a resource says in its spec replaces all that it said before; labels and annotations are added. All resources are written at once, or none. What Calico would refuse is refused, in its words, and every problem is told at once.`,
    )
    .addHelpText(
      'after',
      examplesText([
        ['See what a file would change', 'calico apply -f pools.yaml --dry-run'],
        [
          'Take a pool out of use: no pod gets an address of it any more',
          'calico get ippool old -o json | jq .spec.disabled=true | calico apply -f -',
        ],
      ]),
    );
}

export function createCommand(world: CommandWorld): Command {
  return writingCommand('create', world)
    .summary('create them, and refuse what is there already')
    .description(`Creates resources (${KINDS}) from YAML or JSON, all of them or, if one exists, none.`)
    .addHelpText('after', examplesText([['Create what is in a file', 'calico create -f reservations.yaml']]));
}

function writingCommand(verb: Verb, world: CommandWorld): Command {
  const command = new Command(verb)
    .requiredOption('-f, --filename <file>', 'YAML or JSON; - is stdin')
    .option('--dry-run', 'check everything and show the changes, but write nothing');
  return withDatastoreOptions(command).action(async (options: ApplyOptions) => {
    const candidates = readCandidates(await readText(options.filename, world), sourceName(options.filename));
    const applied = await usingDatastore(options, world, (store) =>
      applyAll(
        store,
        { candidates, mayReplace: verb === 'apply', identity: identityOf(world) },
        options,
        world,
      ),
    );
    await world.writeStdout(report(applied, verb, options.dryRun === true));
  });
}

async function readText(filename: string, world: CommandWorld): Promise<string> {
  if (filename === '-') return world.readStdin();
  try {
    return readFileSync(filename, 'utf8');
  } catch (cause) {
    throw new CalicoError('config', `cannot read ${filename}`, { details: errorText(cause), cause });
  }
}

function sourceName(filename: string): string {
  return filename === '-' ? 'stdin' : filename;
}

/** Throws `config` when there are none, when one is written twice, and for what cannot be understood at all. */
function readCandidates(text: string, source: string): readonly Candidate[] {
  const checked = readDocuments(text, source).map((document) => ({
    ...checkDocument(document),
    ...document,
  }));
  const unreadable = checked.flatMap(({ resource, problems, where }) =>
    resource === undefined ? problems.map((problem) => formatProblem(`${source}: ${where}`, problem)) : [],
  );
  if (unreadable.length > 0) throw invalidResources(unreadable);
  const candidates = checked.flatMap(({ resource, problems }) =>
    resource === undefined ? [] : [{ resource, problems }],
  );
  if (candidates.length === 0) throw new CalicoError('config', `No resources specified in file ${source}`);
  if (candidates.length > MAX_OPERATIONS - 1) {
    throw new CalicoError(
      'config',
      `${source} holds ${candidates.length} resources, and at most ${MAX_OPERATIONS - 1} can be written at once`,
      {
        details: 'Split it into several files.',
      },
    );
  }
  refuseTwice(candidates);
  return candidates;
}

function refuseTwice(candidates: readonly Candidate[]): void {
  const ids = candidates.map(({ resource }) => `${resource.kind.kind}(${resource.name})`);
  const twice = ids.find((id, index) => ids.indexOf(id) !== index);
  if (twice !== undefined) throw new CalicoError('config', `${twice} is there twice: leave one of them out`);
}

function identityOf({ random, clock }: CommandWorld): ApplyRequest['identity'] {
  return () => ({ uid: random.uuid(), creationTimestamp: formatRfc3339(clock.nowNs()) });
}

async function applyAll(
  store: Store,
  request: ApplyRequest,
  options: ApplyOptions,
  world: CommandWorld,
): Promise<readonly Applied[]> {
  const deadline = commandDeadline(world, BUDGET_MS, 'apply');
  const ranges = applyRanges(request);
  if (options.dryRun !== true) {
    return settle({
      store,
      ranges,
      decide: (view) => decideApply(request, view),
      deadline,
      clock: world.clock,
      random: world.random.fraction,
    });
  }
  const view = await readAll(store, ranges, deadline);
  const decision = decideApply(request, view);
  if (decision.step !== 'look') return decision.outcome;
  const more = await store.read(decision.ranges, deadline);
  const final = decideApply(request, withSnapshot(view, decision.ranges, more));
  return final.step === 'look' ? [] : final.outcome;
}

function report(applied: readonly Applied[], verb: Verb, isDryRun: boolean): string {
  const lines = applied.flatMap(({ id, outcome, differences }) => [
    `${id} ${isDryRun && outcome !== 'unchanged' ? `would be ${outcome}` : outcome}`,
    ...differences.map((difference) => `  ${formatDifference(difference)}`),
  ]);
  const kinds = new Set(applied.map(({ id }) => id.replace(/\(.*/, '')));
  const what = kinds.size === 1 ? `'${[...kinds].join()}' resource(s)` : 'resource(s)';
  const done = verb === 'apply' ? 'applied' : 'created';
  const last = isDryRun
    ? 'Nothing was written (--dry-run)'
    : `Successfully ${done} ${applied.length} ${what}`;
  return `${[...lines, last].join('\n')}\n`;
}
