/** Text → the resources in it: YAML, one document or several, or JSON; single ones, lists, and lists of a kind. Pure. */

import { CORE_SCHEMA, loadAll, YAMLException } from 'js-yaml';
import { CalicoError } from '../../base/calico-error.ts';
import { describeJson, isJsonObject, type JsonObject } from '../../base/json-object.ts';

export interface WrittenDocument {
  /** For messages: `document 2`, `document 1, item 3`. */
  readonly where: string;
  readonly object: JsonObject;
}

/** `source` is for messages: the path, or stdin. Throws `decode` when it is neither YAML nor JSON. */
export function readDocuments(text: string, source: string): readonly WrittenDocument[] {
  return parseAll(text, source).flatMap((value, index) =>
    documentsIn(value, `document ${index + 1}`, source),
  );
}

function parseAll(text: string, source: string): readonly unknown[] {
  try {
    return loadAll(text, { schema: CORE_SCHEMA });
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error;
    const { line, column } = error.mark ?? {};
    const at = line === undefined ? '' : ` in line ${line + 1}, column ${(column ?? 0) + 1}`;
    throw new CalicoError('decode', `cannot read ${source}: ${error.reason}${at}`, {
      details: error.mark?.snippet ?? 'It must be YAML or JSON.',
    });
  }
}

function documentsIn(value: unknown, where: string, source: string): readonly WrittenDocument[] {
  // What comes between two lines of dashes may be a comment alone.
  if (value === null || value === undefined) return [];
  const items = isJsonObject(value) && isList(value) ? (value.items ?? []) : value;
  if (Array.isArray(items)) {
    return items.flatMap((item, index) => documentsIn(item, `${where}, item ${index + 1}`, source));
  }
  if (isJsonObject(items)) return [{ where, object: items }];
  throw new CalicoError('decode', `${source}: ${where} must be a resource, found ${describeJson(items)}`);
}

function isList({ kind }: JsonObject): boolean {
  return typeof kind === 'string' && kind.endsWith('List');
}
