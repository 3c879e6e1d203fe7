/** IPPool: read only. Pure. */

import { type Cidr, tryParseCidr } from '../../base/cidr.ts';
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

/** Lengths of prefixes. */
const BLOCK_SIZES = {
  4: { least: 20, most: 32, usual: 26 },
  6: { least: 116, most: 128, usual: 122 },
} as const;

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
    blockSize: decodeBlockSize(spec, cidr),
    enabled: isEnabled(source, metadata, spec),
    nodeSelector: stringField(spec, 'nodeSelector') || 'all()',
    namespaceSelector: stringField(spec, 'namespaceSelector') ?? '',
    allowedUses: allowedUses.length > 0 ? allowedUses : ['Workload', 'Tunnel'],
    automatic: (stringField(spec, 'assignmentMode') || 'Automatic') === 'Automatic',
  };
}

/** As Calico's API allows it: other blocks would be larger than any plugin takes, or than memory. */
function decodeBlockSize(spec: FieldSource, { family }: Cidr): number {
  const { least, most, usual } = BLOCK_SIZES[family];
  const size = integerField(spec, 'blockSize') || usual;
  if (size >= least && size <= most) return size;
  throw wrongType(spec.key, 'spec.blockSize', `${least} to ${most}`, size);
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
