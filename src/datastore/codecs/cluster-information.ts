/** ClusterInformation: of which the plugins need to know whether they may work. Read only. Pure. */

import { booleanField, type FieldSource, objectField } from './fields.ts';
import { parseJsonObject } from './json.ts';

/** False only when `datastoreReady` says so; an absent field is not a reason to refuse pods. */
export function decodeDatastoreReady(text: string, key: string): boolean {
  const source: FieldSource = { object: parseJsonObject(text, key), key };
  const spec = objectField(source, 'spec') ?? { object: {}, key };
  return booleanField(spec, 'datastoreReady') ?? true;
}
