/** Node: of which IPAM needs the labels. Read only. Pure. */

import type { IpamNode } from '../../ipam/records.ts';
import { type FieldSource, objectField, stringMapField } from './fields.ts';
import { parseJsonObject } from './json.ts';

export function decodeIpamNode(text: string, key: string): IpamNode {
  const source: FieldSource = { object: parseJsonObject(text, key), key };
  const metadata = objectField(source, 'metadata') ?? { object: {}, key };
  return { name: key.slice(key.lastIndexOf('/') + 1), labels: stringMapField(metadata, 'labels') ?? {} };
}
