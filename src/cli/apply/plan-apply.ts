/** What applying resources means for the datastore as it is: one transaction, or all that is wrong with them. Pure. */

import { CalicoError } from '../../base/calico-error.ts';
import type { JsonObject } from '../../base/json-object.ts';
import { ABSENT } from '../../base/revision.ts';
import { parseJsonObject } from '../../datastore/codecs/json.ts';
import { blockPrefix, IP_POOLS_PREFIX } from '../../datastore/keys.ts';
import type { Decision } from '../../datastore/settle.ts';
import type { Range, Transaction } from '../../datastore/store.ts';
import { entriesUnder, entryAt, keysUnder, type View } from '../../datastore/view.ts';
import { resourceId } from '../resource-kinds.ts';
import { type Difference, differences } from './differences.ts';
import { encodeResource, type NewIdentity } from './encode-resource.ts';
import { blockConflicts, poolChangeProblems, poolOverlaps, type StoredPool } from './pool-conflicts.ts';
import type { Problem } from './problem.ts';
import type { WrittenResource } from './written-resource.ts';

export interface Candidate {
  readonly resource: WrittenResource;
  /** Found in the document itself. */
  readonly problems: readonly Problem[];
}

export interface ApplyRequest {
  readonly candidates: readonly Candidate[];
  /** Whether it may replace what is there. */
  readonly mayReplace: boolean;
  /** Fresh for each resource. */
  readonly identity: () => NewIdentity;
}

export interface Applied {
  readonly id: string;
  readonly outcome: 'created' | 'updated' | 'unchanged';
  /** Of a resource that is updated. */
  readonly differences: readonly Difference[];
}

/** Blocks are read when a pool is new. */
const BLOCKS: readonly Range[] = [
  { prefix: blockPrefix(4), keysOnly: true },
  { prefix: blockPrefix(6), keysOnly: true },
];

export function applyRanges({ candidates }: ApplyRequest): readonly Range[] {
  const keys = candidates.map(({ resource }) => ({ key: keyOf(resource) }));
  return candidates.some(({ resource }) => isPool(resource)) ? [{ prefix: IP_POOLS_PREFIX }, ...keys] : keys;
}

interface Change {
  readonly resource: WrittenResource;
  readonly key: string;
  readonly revision: string;
  readonly stored: JsonObject | undefined;
}

/** Throws `config` with all problems of all resources, and `conflict` where another version is there than was meant. */
export function decideApply(request: ApplyRequest, view: View): Decision<readonly Applied[]> {
  const changes = request.candidates.map(({ resource }) => changeOf(resource, view));
  const hasNewPool = changes.some(({ resource, stored }) => isPool(resource) && stored === undefined);
  if (hasNewPool && keysUnder(view, blockPrefix(4)) === undefined) return { step: 'look', ranges: BLOCKS };
  refuseWrong(request, changes, view);
  const results = changes.map((change) => resultOf(change, request.identity));
  const outcome = results.map(({ applied }) => applied);
  const written = results.filter(({ applied }) => applied.outcome !== 'unchanged');
  const transaction: Transaction = {
    expect: results.map(({ key, revision }) => ({ key, revision })),
    write: written.map(({ key, value }) => ({ type: 'put', key, value })),
  };
  return written.length === 0 ? { step: 'done', outcome } : { step: 'commit', transaction, outcome };
}

function changeOf(resource: WrittenResource, view: View): Change {
  const key = keyOf(resource);
  const entry = entryAt(view, key);
  return {
    resource,
    key,
    revision: entry?.revision ?? ABSENT,
    stored: entry === undefined ? undefined : parseJsonObject(entry.value, key),
  };
}

function resultOf(change: Change, identity: () => NewIdentity) {
  const { resource, key, revision, stored } = change;
  const value = encodeResource(resource, stored, identity());
  const found = stored === undefined ? [] : differences(stored, parseJsonObject(value, key));
  const outcome = stored === undefined ? 'created' : found.length > 0 ? 'updated' : 'unchanged';
  const applied: Applied = { id: resourceId(resource.kind, resource.name), outcome, differences: found };
  return { key, revision, value, applied };
}

function refuseWrong(request: ApplyRequest, changes: readonly Change[], view: View): void {
  for (const change of changes) refuseOtherVersion(change, request.mayReplace);
  const stored = storedPools(view);
  const written = changes.map(({ resource }) => resource).filter(isPool);
  const lines = changes.flatMap((change, index) => {
    const own = request.candidates[index]?.problems ?? [];
    const problems = own.filter((problem) => !isKnownToStored(problem, change));
    const more =
      isPool(change.resource) && own.length === 0 ? poolProblems(change, { stored, written, view }) : [];
    const id = resourceId(change.resource.kind, change.resource.name);
    return [...problems, ...more].map((problem) => formatProblem(id, problem));
  });
  if (lines.length > 0) throw invalidResources(lines);
}

/** All of them, one a line. */
export function invalidResources(lines: readonly string[]): CalicoError {
  const [first = '', ...more] = lines;
  return new CalicoError('config', first, more.length === 0 ? {} : { details: more.join('\n') });
}

export function formatProblem(id: string, { path, text }: Problem): string {
  return `${id}: ${path}: ${text}`;
}

function refuseOtherVersion({ resource, revision, stored }: Change, mayReplace: boolean): void {
  const id = resourceId(resource.kind, resource.name);
  if (stored === undefined) return;
  if (!mayReplace) {
    throw new CalicoError('conflict', `resource already exists: ${id} with error: <nil>`, {
      details: 'Use "calico apply" to change it.',
    });
  }
  const { resourceVersion } = resource;
  if (resourceVersion === undefined || resourceVersion === revision) return;
  throw new CalicoError(
    'conflict',
    `update conflict: ${id}: Resource version '${resourceVersion}' is out of date (latest: ${revision}). Update the resource YAML/JSON in order to make changes.`,
    {
      details:
        'Somebody has changed it since it was read: get it again, or leave metadata.resourceVersion out.',
    },
  );
}

/** A field that a newer version has put there may stay. */
function isKnownToStored({ isUnknownField, path }: Problem, { resource, stored }: Change): boolean {
  const object = resource.kind.kind === 'IPAMConfiguration' ? { spec: stored } : stored;
  return isUnknownField === true && pathExists(object, path);
}

function pathExists(object: JsonObject | undefined, path: string): boolean {
  let value: unknown = object;
  for (const name of path.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return false;
    value = Object.entries(value).find(([member]) => member === name)?.[1];
  }
  return true;
}

interface PoolContext {
  readonly stored: readonly StoredPool[];
  readonly written: readonly WrittenResource[];
  readonly view: View;
}

function poolProblems({ resource, stored }: Change, context: PoolContext): readonly Problem[] {
  if (stored !== undefined) return poolChangeProblems(resource, stored);
  const keys = [4, 6] as const;
  const blocks = keys.flatMap((family) => [...(keysUnder(context.view, blockPrefix(family)) ?? [])]);
  return [...poolOverlaps(resource, context.stored, context.written), ...blockConflicts(resource, blocks)];
}

function storedPools(view: View): readonly StoredPool[] {
  return entriesUnder(view, IP_POOLS_PREFIX).map(({ key, value }) => ({
    name: key.slice(IP_POOLS_PREFIX.length),
    spec: parseJsonObject(value, key).spec,
  }));
}

function isPool({ kind }: WrittenResource): boolean {
  return kind.kind === 'IPPool';
}

function keyOf({ kind, name }: WrittenResource): string {
  return kind.kind === 'IPAMConfiguration' ? kind.prefix : kind.prefix + name;
}
