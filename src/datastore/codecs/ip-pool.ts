/** IPPool: read only. Pure. */

import { tryParseCidr } from '../../base/cidr.ts';
import { isJsonObject } from '../../base/json-object.ts';
import type { IpPool } from '../../ipam/records.ts';
import {
  arrayField,
  booleanField,
  type FieldSource,
  integerField,
  objectField,
  stringArrayField,
  stringField,
  wrongType,
} from './fields.ts';
import { parseJsonObject } from './json.ts';

/** Defaults of fields that older writers did not know. */
export function decodeIpPool(text: string, key: string): IpPool {
  const source: FieldSource = { object: parseJsonObject(text, key), key };
  const metadata = objectField(source, 'metadata') ?? { object: {}, key };
  const spec = objectField(source, 'spec') ?? { object: {}, key };
  const cidr = tryParseCidr(stringField(spec, 'cidr') ?? '');
  if (cidr === undefined) throw wrongType(key, 'spec.cidr', 'a CIDR', spec.object.cidr);
  const allowedUses = stringArrayField(spec, 'allowedUses') ?? [];
  return {
    name: stringField(metadata, 'name') ?? key.slice(key.lastIndexOf('/') + 1),
    cidr,
    blockSize: integerField(spec, 'blockSize') || (cidr.family === 4 ? 26 : 122),
    enabled: isEnabled(source, metadata, spec),
    nodeSelector: stringField(spec, 'nodeSelector') || 'all()',
    namespaceSelector: stringField(spec, 'namespaceSelector') ?? '',
    allowedUses: allowedUses.length > 0 ? allowedUses : ['Workload', 'Tunnel'],
    automatic: (stringField(spec, 'assignmentMode') || 'Automatic') === 'Automatic',
  };
}

/** A pool that is disabled, going away or marked not allocatable gives no new addresses. */
function isEnabled(source: FieldSource, metadata: FieldSource, spec: FieldSource): boolean {
  const status = objectField(source, 'status') ?? { object: {}, key: source.key };
  const conditions = arrayField(status, 'conditions') ?? [];
  return (
    booleanField(spec, 'disabled') !== true &&
    stringField(metadata, 'deletionTimestamp') === undefined &&
    !conditions.some(
      (condition) =>
        isJsonObject(condition) && condition.type === 'Allocatable' && condition.status === 'False',
    )
  );
}
