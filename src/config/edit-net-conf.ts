/** Changes single values in the text of a network configuration, for a plugin that is run with it. Pure. */

import { CalicoError } from '../base/calico-error.ts';
import { isJsonObject } from '../base/json-object.ts';
import { parseJsonSource, rawJson } from '../base/json-source.ts';

/** Member names and list positions, from the outside in. */
export type JsonPath = readonly (string | number)[];

export interface NetConfEdit {
  readonly path: JsonPath;
  readonly value: string | readonly string[];
}

/**
 * The text with other values at the paths, where a member may be new but not what holds it. All that is not edited
 * stays: fields nobody knows, and numbers to their last digit. Without edits it is the same text, character for character.
 */
export function editNetConf(text: string, edits: readonly NetConfEdit[]): string {
  if (edits.length === 0) return text;
  const json = parseJsonSource(text, (_key, value, { source }) =>
    typeof value === 'number' && source !== undefined ? rawJson(source) : value,
  );
  return JSON.stringify(edits.reduce((edited, { path, value }) => replaceAt(edited, path, value), json));
}

function replaceAt(json: unknown, [step, ...rest]: JsonPath, value: unknown): unknown {
  if (step === undefined) return value;
  if (Array.isArray(json))
    return json.map((item: unknown, i) => (i === step ? replaceAt(item, rest, value) : item));
  if (isJsonObject(json)) return { ...json, [step]: replaceAt(json[step], rest, value) };
  throw new CalicoError('internal', `the network configuration has nothing that could hold ${step}`);
}
