/** What is different in two versions of an object, field by field. Pure. */

import { isJsonObject } from '../../base/json-object.ts';
import { formatJson } from '../../datastore/codecs/json.ts';

export interface Difference {
  /** `spec.natOutgoing`. */
  readonly path: string;
  /** As JSON; `undefined`: it was, or is, not there. */
  readonly before: string | undefined;
  readonly after: string | undefined;
}

/** Lists are compared as a whole. */
export function differences(before: unknown, after: unknown, path = ''): readonly Difference[] {
  if (isJsonObject(before) && isJsonObject(after)) {
    return [...new Set([...Object.keys(before), ...Object.keys(after)])].flatMap((name) =>
      differences(before[name], after[name], path === '' ? name : `${path}.${name}`),
    );
  }
  const [was, is] = [formatJson(before), formatJson(after)];
  return was === is ? [] : [{ path, before: was, after: is }];
}

/** `spec.natOutgoing: false → true`. */
export function formatDifference({ path, before, after }: Difference): string {
  return `${path}: ${before ?? '(nothing)'} → ${after ?? '(removed)'}`;
}
