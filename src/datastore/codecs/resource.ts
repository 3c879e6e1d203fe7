/** The common envelope of Calico's v3 resources: kind, apiVersion, metadata, spec, in Go's field order. Pure. */

import { isJsonObject, type JsonObject } from '../../base/json-object.ts';
import { formatJson, formatMap, formatMembers, unknownMembers } from './json.ts';

const METADATA_ORDER = [
  'name',
  'generateName',
  'namespace',
  'uid',
  'creationTimestamp',
  'labels',
  'annotations',
];

/**
 * Values that Go's writer leaves out are left out here as well: absent, empty text, list or map. `others` are the
 * members that come after these four, such as the status.
 */
export function formatResource(
  kind: string,
  metadata: JsonObject,
  spec: JsonObject,
  specOrder: readonly string[],
  others: JsonObject = {},
): string {
  return formatMembers([
    ['kind', formatJson(kind)],
    ['apiVersion', formatJson('projectcalico.org/v3')],
    ['metadata', formatOrdered(metadata, METADATA_ORDER)],
    ['spec', formatOrdered(spec, specOrder)],
    ...unknownMembers(others),
  ]);
}

function formatOrdered(object: JsonObject, order: readonly string[]): string {
  const rest = Object.keys(object).filter((name) => !order.includes(name));
  const names = [...order, ...rest].filter((name) => !isEmpty(object[name]));
  return formatMembers(names.map((name) => [name, formatMember(name, object[name])]));
}

/** Labels and annotations are maps, which Go sorts; everything else keeps the order it has. */
function formatMember(name: string, value: unknown): string | undefined {
  const isMap = (name === 'labels' || name === 'annotations') && isJsonObject(value);
  return isMap ? formatMap(Object.entries(value)) : formatJson(value);
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === '') return true;
  if (Array.isArray(value)) return value.length === 0;
  return isJsonObject(value) && Object.keys(value).length === 0;
}
