/** BlockAffinity ⇄ JSON. Pure. */

import type { AffinityState, BlockAffinity } from '../../ipam/records.ts';
import { type FieldSource, stringField, unknownFields, wrongType } from './fields.ts';
import { formatJson, formatMembers, parseJsonObject, unknownMembers } from './json.ts';

const STATES: readonly AffinityState[] = ['pending', 'confirmed', 'pendingDeletion'];

/** Very old data is a value of no length, or has no state: both mean confirmed. */
export function decodeAffinity(text: string, key: string): BlockAffinity {
  const source: FieldSource = { object: text === '' ? {} : parseJsonObject(text, key), key };
  const name = stringField(source, 'state') || 'confirmed';
  const state = STATES.find((known) => known === name);
  if (state === undefined) throw wrongType(key, 'state', `one of ${STATES.join(', ')}`, name);
  return { state, unknownFields: unknownFields(source.object, ['state', 'deleted']) };
}

export function encodeAffinity(affinity: BlockAffinity): string {
  return formatMembers([
    ['state', formatJson(affinity.state)],
    ['deleted', 'false'],
    ...unknownMembers(affinity.unknownFields),
  ]);
}
