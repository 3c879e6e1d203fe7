/** IPAMHandle ⇄ JSON: `{"block":{"10.77.0.0/28":1},"deleted":false}`. Pure. */

import type { Handle } from '../../ipam/records.ts';
import { type FieldSource, objectField, unknownFields, wrongType } from './fields.ts';
import { formatMap, formatMembers, parseJsonObject, unknownMembers } from './json.ts';

export function decodeHandle(text: string, key: string): Handle {
  const source: FieldSource = { object: parseJsonObject(text, key), key };
  const counts = Object.entries(objectField(source, 'block')?.object ?? {});
  return {
    addressCounts: new Map(counts.map(([cidr, count]) => [cidr, asCount(key, count)])),
    unknownFields: unknownFields(source.object, ['block', 'deleted']),
  };
}

export function encodeHandle(handle: Handle): string {
  return formatMembers([
    ['block', formatMap(handle.addressCounts)],
    ['deleted', 'false'],
    ...unknownMembers(handle.unknownFields),
  ]);
}

function asCount(key: string, value: unknown): number {
  if (Number.isSafeInteger(value)) return Number(value);
  throw wrongType(key, 'block', 'a map from CIDR to number', value);
}
