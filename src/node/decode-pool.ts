/** IPPool: how its addresses are reached, and whether they leave the cluster as they are. Pure. */

import { tryParseCidr } from '../base/cidr.ts';
import {
  booleanField,
  type FieldSource,
  stringArrayField,
  stringField,
  wrongType,
} from '../datastore/codecs/fields.ts';
import type { ClusterPool, EncapsulationMode } from './cluster.ts';
import { decodeRecord, objectOrEmpty } from './decode-record.ts';

const MODES: readonly EncapsulationMode[] = ['Always', 'CrossSubnet', 'Never'];

/** Its name is that of its key. Throws `corrupt`, naming the key. */
export function decodePool(text: string, key: string, name: string): ClusterPool {
  const spec = objectOrEmpty(decodeRecord(text, key), 'spec');
  const cidr = tryParseCidr(stringField(spec, 'cidr') ?? '');
  if (cidr === undefined) throw wrongType(key, 'spec.cidr', 'a CIDR', spec.object.cidr);
  return {
    name,
    cidr,
    vxlanMode: modeField(spec, 'vxlanMode'),
    ipipMode: modeField(spec, 'ipipMode'),
    natOutgoing: booleanField(spec, 'natOutgoing') ?? false,
    isDisabled: booleanField(spec, 'disabled') ?? false,
    allowedUses: stringArrayField(spec, 'allowedUses') ?? [],
  };
}

/** A mode that nobody knows is no reason to send the traffic of the pool in the clear. */
function modeField(spec: FieldSource, name: string): EncapsulationMode {
  const text = stringField(spec, name) || 'Never';
  const mode = MODES.find((known) => known === text);
  if (mode === undefined) throw wrongType(spec.key, `spec.${name}`, MODES.join(', '), text);
  return mode;
}
