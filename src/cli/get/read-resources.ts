/** Resources from the datastore, as they are shown. */

import { CalicoError, isCalicoError } from '../../base/calico-error.ts';
import type { Deadline } from '../../base/deadline.ts';
import { isJsonObject, type JsonObject } from '../../base/json-object.ts';
import { parseJsonObject } from '../../datastore/codecs/json.ts';
import { readable } from '../../datastore/codecs/readable.ts';
import { resourcePrefix } from '../../datastore/keys.ts';
import { scan } from '../../datastore/scan.ts';
import type { Entry, Range, Store } from '../../datastore/store.ts';
import { type ResourceKind, resourceId } from '../resource-kinds.ts';
import { presentIpamConfiguration, UNCONFIGURED } from './present-ipam-configuration.ts';
import { DEFAULT_ALLOW_PROFILE, presentResource } from './present-resource.ts';

export interface ResourceQuery {
  readonly kind: ResourceKind;
  /** `undefined`: of all namespaces, or of a kind that has none. */
  readonly namespace: string | undefined;
}

export interface ReadOptions {
  readonly store: Store;
  readonly deadline: Deadline;
  /** Told of each value that cannot be understood, and is left out. */
  readonly warn: (text: string) => void;
}

export interface ResourceList {
  readonly items: readonly JsonObject[];
  /** At which all were read. */
  readonly revision: string;
}

/** How often everything is read again because the datastore has forgotten what was when it began. */
const MAX_READS = 3;

/** Every resource of the kind, in the order of the keys. */
export async function listResources(query: ResourceQuery, options: ReadOptions): Promise<ResourceList> {
  for (let reads = 1; ; reads += 1) {
    try {
      return await listOnce(query, options);
    } catch (error) {
      if (!isCalicoError(error, 'conflict') || reads === MAX_READS) throw error;
    }
  }
}

async function listOnce(query: ResourceQuery, options: ReadOptions): Promise<ResourceList> {
  const { kind } = query.kind;
  if (kind === 'IPAMConfiguration') return readIpamConfiguration(query.kind, options);
  const prefix = query.kind.prefix + (query.namespace === undefined ? '' : `${query.namespace}/`);
  const items: JsonObject[] = [];
  let revision = '0';
  for await (const page of scan(options.store, [{ prefix }], options.deadline)) {
    revision = page.revision;
    for (const entry of page.entries) items.push(...present(query.kind, entry, options));
  }
  return { items: kind === 'Profile' ? [...items, DEFAULT_ALLOW_PROFILE] : items, revision };
}

/** Throws `not-found`, in Calico's words. */
export async function readResource(
  query: ResourceQuery,
  name: string,
  options: ReadOptions,
): Promise<JsonObject> {
  const { kind, namespace } = query;
  const id = resourceId(kind, name, namespace);
  if (kind.kind === 'Profile' && name === 'projectcalico-default-allow') return DEFAULT_ALLOW_PROFILE;
  const list =
    kind.kind === 'IPAMConfiguration'
      ? { items: name === 'default' ? (await readIpamConfiguration(kind, options)).items : [] }
      : await readKey(kind, keyOf(kind, name, namespace), options);
  const [found] = list.items;
  if (found !== undefined) return found;
  throw new CalicoError('not-found', `resource does not exist: ${id} with error: <nil>`);
}

function keyOf({ prefix }: ResourceKind, name: string, namespace: string | undefined): string {
  for (const part of [name, namespace ?? 'default'])
    if (part === '' || part.includes('/'))
      throw new CalicoError('config', `invalid name ${JSON.stringify(part)}`);
  return prefix + (namespace === undefined ? name : `${namespace}/${name}`);
}

async function readKey(kind: ResourceKind, key: string, options: ReadOptions): Promise<ResourceList> {
  const { entry, revision } = await readEntry({ key }, options);
  return { items: entry === undefined ? [] : present(kind, entry, options), revision };
}

/** What holds is shown even when nothing is stored. */
async function readIpamConfiguration(kind: ResourceKind, options: ReadOptions): Promise<ResourceList> {
  const { entry, revision } = await readEntry({ key: kind.prefix }, options);
  const items =
    entry === undefined ? [presentIpamConfiguration(UNCONFIGURED, undefined)] : present(kind, entry, options);
  return { items, revision };
}

async function readEntry(
  range: Range,
  { store, deadline }: ReadOptions,
): Promise<{ readonly entry: Entry | undefined; readonly revision: string }> {
  const { entries, revision } = await store.read([range], deadline);
  return { entry: entries[0]?.[0], revision };
}

function present({ kind }: ResourceKind, entry: Entry, { warn }: ReadOptions): readonly JsonObject[] {
  const resource = readable(warn, () => presentResource(kind, entry));
  return resource === undefined ? [] : [resource];
}

/** Of the default BGPConfiguration; Calico's own where that has none. */
export async function readAsNumber(options: ReadOptions): Promise<string> {
  const { entry } = await readEntry({ key: `${resourcePrefix('bgpconfigurations')}default` }, options);
  const configuration = entry && readable(options.warn, () => parseJsonObject(entry.value, entry.key));
  const asNumber = isJsonObject(configuration?.spec) ? configuration.spec.asNumber : undefined;
  return asNumber ? String(asNumber) : '64512';
}
