/** `calico get`: what is in the datastore, as calicoctl shows it. */

import { Argument, Command, InvalidArgumentError, Option } from 'commander';
import { CalicoError, errorText } from '../../base/calico-error.ts';
import type { JsonObject } from '../../base/json-object.ts';
import type { CommandWorld, ExitCode } from '../command-world.ts';
import {
  commandDeadline,
  type DatastoreOptions,
  usingDatastore,
  withDatastoreOptions,
} from '../datastore-options.ts';
import { formatPrettyJson, formatYaml } from '../format-resource.ts';
import { examplesText } from '../help-text.ts';
import { parseKind, RESOURCE_KINDS, type ResourceKind } from '../resource-kinds.ts';
import { formatPlainTable } from '../table.ts';
import { type ColumnChoice, headingsOf, rowOf, type TableContext } from './columns.ts';
import { OUTPUT_FORMATS, type OutputFormat, parseOutputFormat } from './output-format.ts';
import { presentList } from './present-resource.ts';
import { listResources, type ReadOptions, readAsNumber, readResource } from './read-resources.ts';

const BUDGET_MS = 60_000;

interface GetOptions extends DatastoreOptions {
  readonly namespace?: string;
  readonly allNamespaces?: true;
  /** calicoctl's other letter for it. */
  readonly A?: true;
  readonly output: OutputFormat;
}

export function getCommand(world: CommandWorld, exit: (code: ExitCode) => void): Command {
  const names = RESOURCE_KINDS.map(({ names: [first = ''] }) => first);
  const command = new Command('get')
    .summary('show what is in the datastore')
    .description(
      'Shows resources of one kind in the columns of calicoctl, or as YAML or JSON that "calico apply" and calicoctl take. Kinds may be in the singular, or short: wep, pool, no, pro.',
    )
    .addArgument(new Argument('<kind>', 'of resources').choices(names).argParser(kindArgument))
    .argument('[name...]', 'only these')
    .addOption(
      new Option('-o, --output <format>', 'or custom-columns=NAME,CIDR,…')
        .choices(OUTPUT_FORMATS)
        .argParser(parseOutputFormat)
        .default({ type: 'table', isWide: false } satisfies OutputFormat, 'ps'),
    )
    .option('-n, --namespace <namespace>', 'of workload endpoints (default: default)')
    .option('-a, --all-namespaces', 'workload endpoints of all namespaces (also -A)')
    .addOption(new Option('-A').hideHelp());
  return withDatastoreOptions(command)
    .addHelpText(
      'after',
      examplesText([
        ['Which pod has which address, on which node and interface', 'calico get workloadendpoints -a'],
        ['All pools, with encapsulation and NAT', 'calico get ippools -o wide'],
        ['One pool, to edit it and apply it again', 'calico get ippool default-ipv4-ippool -o yaml'],
      ]),
    )
    .action(async (kind: ResourceKind, names: readonly string[], given: GetOptions) => {
      const options = given.A === true ? { ...given, allNamespaces: given.A } : given;
      const failures = await usingDatastore(options, world, (store) => {
        const deadline = commandDeadline(world, BUDGET_MS, 'get');
        const warnings: string[] = [];
        const warn = (text: string): void => void warnings.push(text);
        return get({ kind, names, options, read: { store, deadline, warn }, world }).then((failed) => [
          ...warnings,
          ...failed,
        ]);
      });
      if (failures.length === 0) return;
      await world.writeStderr(failures.map((failure) => `Error: ${failure}\n`).join(''));
      exit(1);
    });
}

function kindArgument(text: string): ResourceKind {
  try {
    return parseKind(text);
  } catch (error) {
    const details = error instanceof CalicoError ? error.details : undefined;
    throw new InvalidArgumentError([errorText(error), details].filter(Boolean).join('. '));
  }
}

interface GetRequest {
  readonly kind: ResourceKind;
  readonly names: readonly string[];
  readonly options: GetOptions;
  readonly read: ReadOptions;
  readonly world: CommandWorld;
}

/** Gives what went wrong with single resources; the others are shown all the same. */
async function get(request: GetRequest): Promise<readonly string[]> {
  const { kind, names, read, world } = request;
  const query = { kind, namespace: namespaceOf(request) };
  if (names.length === 0) {
    const { items, revision } = await listResources(query, read);
    const list = presentList(kind.kind, items, revision);
    await world.writeStdout(await format({ ...request, documents: [{ whole: list, items }] }));
    return [];
  }
  const results = await Promise.allSettled(names.map((name) => readResource(query, name, read)));
  const found = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  const documents = found.map((resource) => ({ whole: resource, items: [resource] }));
  if (found.length > 0) await world.writeStdout(await format({ ...request, documents }));
  return results.flatMap((result) => (result.status === 'rejected' ? [errorText(result.reason)] : []));
}

/** `undefined`: all, or the kind has none. Throws `config` in the words of calicoctl. */
function namespaceOf({ kind, names, options }: GetRequest): string | undefined {
  const { namespace, allNamespaces } = options;
  if (!kind.isNamespaced) {
    if (namespace === undefined && allNamespaces === undefined) return undefined;
    throw new CalicoError('config', `${kind.kind} is not namespaced`);
  }
  if (allNamespaces === undefined) return namespace ?? 'default';
  if (namespace !== undefined) {
    throw new CalicoError(
      'config',
      'cannot use both --namespace and --all-namespaces flags at the same time',
    );
  }
  if (names.length === 0) return undefined;
  throw new CalicoError('config', 'cannot use --all-namespace flag for getting a single resource');
}

interface Shown extends GetRequest {
  /** Each is one table, or one part of the YAML or JSON. */
  readonly documents: readonly { readonly whole: JsonObject; readonly items: readonly JsonObject[] }[];
}

async function format({ kind, options, read, documents }: Shown): Promise<string> {
  const { output, namespace, allNamespaces } = options;
  const [first, ...more] = documents.map(({ whole }) => whole);
  const value = more.length === 0 ? first : [first, ...more];
  if (output.type === 'yaml') return formatYaml(value);
  if (output.type === 'json') return formatPrettyJson(value);
  const choice: ColumnChoice = { ...output, showsNamespace: (namespace ?? allNamespaces) !== undefined };
  const headings = headingsOf(kind.kind, choice);
  const context: TableContext = { asNumber: headings.includes('ASN') ? await readAsNumber(read) : '' };
  return documents
    .map(({ items }) =>
      formatPlainTable(
        headings,
        items.map((item) => rowOf(kind.kind, headings, item, context)),
      ),
    )
    .join('');
}
