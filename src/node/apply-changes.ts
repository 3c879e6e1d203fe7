/**
 * The state of the cluster after a change of its records. In which order records of different keys change makes no
 * difference: what they mean together is decided later, on the whole. Pure.
 */

import { errorText } from '../base/calico-error.ts';
import { decodeDatastoreReady } from '../datastore/codecs/cluster-information.ts';
import type { ClusterState, SettingFields } from './cluster.ts';
import { decodeBlock } from './decode-block.ts';
import { decodeEndpoint } from './decode-endpoint.ts';
import { decodeNode } from './decode-node.ts';
import { decodePool } from './decode-pool.ts';
import { decodeRecord, objectOrEmpty } from './decode-record.ts';
import { type RecordName, recordOfKey } from './record-key.ts';
import { draftOf, putEntry, type TableDraft, tableOf } from './table-draft.ts';

export interface RecordChange {
  readonly key: string;
  /** The record's JSON; `undefined`: it is deleted. */
  readonly text: string | undefined;
}

/** A state that is being made; the two that are not tables are tables of one entry here. */
interface Draft {
  readonly nodes: TableOf<'nodes'>;
  readonly pools: TableOf<'pools'>;
  readonly blocks: TableOf<'blocks'>;
  readonly ownAllocations: TableOf<'ownAllocations'>;
  readonly endpoints: TableOf<'endpoints'>;
  readonly felix: TableOf<'felix'>;
  readonly bgp: TableDraft<NonNullable<ClusterState['bgp']>>;
  readonly ready: TableDraft<boolean>;
  readonly unreadable: TableOf<'unreadable'>;
}
type TableOf<Name extends keyof ClusterState> =
  ClusterState[Name] extends ReadonlyMap<string, infer Value> ? TableDraft<Value> : never;

/**
 * The state after the changes, in their order; the very same state when they change nothing of what the agent needs.
 * A value that cannot be understood is noted and changes nothing else: the last good version goes on.
 */
export function applyChanges(state: ClusterState, changes: Iterable<RecordChange>): ClusterState {
  const draft = openDraft(state);
  for (const { key, text } of changes) {
    const name = recordOfKey(key, state.nodeName);
    if (name !== undefined) applyTo(draft, state.nodeName, name, { key, text });
  }
  return closeDraft(state, draft);
}

function openDraft(state: ClusterState): Draft {
  return {
    nodes: draftOf(state.nodes),
    pools: draftOf(state.pools),
    blocks: draftOf(state.blocks),
    ownAllocations: draftOf(state.ownAllocations),
    endpoints: draftOf(state.endpoints),
    felix: draftOf(state.felix),
    bgp: draftOf(new Map(state.bgp === undefined ? [] : [['', state.bgp]])),
    ready: draftOf(new Map(state.isDatastoreReady ? [['', true]] : [])),
    unreadable: draftOf(state.unreadable),
  };
}

function closeDraft(state: ClusterState, draft: Draft): ClusterState {
  if (Object.values(draft).every((table) => table.after === undefined)) return state;
  return {
    ...state,
    nodes: tableOf(draft.nodes),
    pools: tableOf(draft.pools),
    blocks: tableOf(draft.blocks),
    ownAllocations: tableOf(draft.ownAllocations),
    endpoints: tableOf(draft.endpoints),
    felix: tableOf(draft.felix),
    bgp: tableOf(draft.bgp).get(''),
    isDatastoreReady: tableOf(draft.ready).get('') ?? false,
    unreadable: tableOf(draft.unreadable),
  };
}

/** One change, which only its own entry and its own note of being unreadable can see. */
function applyTo(draft: Draft, nodeName: string, name: RecordName, { key, text }: RecordChange): void {
  const write = <Value>(
    table: TableDraft<Value>,
    id: string,
    decode: (text: string) => Value | undefined,
  ): void => {
    try {
      putEntry(table, id, text === undefined ? undefined : decode(text));
      putEntry(draft.unreadable, key, undefined);
    } catch (error) {
      const isLastGoodVersionUsed = tableOf(table).has(id);
      putEntry(draft.unreadable, key, { reason: errorText(error), isLastGoodVersionUsed });
    }
  };
  switch (name.record) {
    case 'node':
      write(draft.nodes, name.name, (json) => decodeNode(json, key, name.name));
      break;
    case 'pool':
      write(draft.pools, name.name, (json) => decodePool(json, key, name.name));
      break;
    case 'block':
      write(draft.blocks, key, (json) => {
        const { block, ownAllocations } = decodeBlock(json, key, name.cidr);
        putEntry(draft.ownAllocations, key, block.owner === nodeName ? ownAllocations : undefined);
        return block;
      });
      if (text === undefined) putEntry(draft.ownAllocations, key, undefined);
      break;
    case 'endpoint':
      write(draft.endpoints, key, (json) => decodeEndpoint(json, key, nodeName));
      break;
    case 'felix':
      write(draft.felix, name.name, (json) => decodeSettings(json, key));
      break;
    case 'bgp':
      write(draft.bgp, '', (json) => decodeSettings(json, key));
      break;
    case 'cluster-information':
      write(draft.ready, '', (json) => decodeDatastoreReady(json, key));
      break;
  }
}

function decodeSettings(text: string, key: string): SettingFields {
  return objectOrEmpty(decodeRecord(text, key), 'spec').object;
}
