/** IPReservation: addresses never handed out. Read only. Pure. */

import { type Cidr, hostCidr, tryParseCidr } from '../../base/cidr.ts';
import { tryParseIpAddress } from '../../base/ip-address.ts';
import { type FieldSource, objectField, stringArrayField } from './fields.ts';
import { parseJsonObject } from './json.ts';

/** Entries may be CIDRs or bare addresses; ones that are neither are passed over, as Calico does. */
export function decodeIpReservation(text: string, key: string): readonly Cidr[] {
  const source: FieldSource = { object: parseJsonObject(text, key), key };
  const spec = objectField(source, 'spec') ?? { object: {}, key };
  return (stringArrayField(spec, 'reservedCIDRs') ?? []).flatMap((entry) => reservedCidr(entry.trim()) ?? []);
}

function reservedCidr(text: string): Cidr | undefined {
  const address = tryParseIpAddress(text);
  return address === undefined ? tryParseCidr(text) : hostCidr(address);
}
