/** The attachments that GC must keep (CNI 1.1 §GC). Pure. */

import { CalicoError } from '../base/calico-error.ts';
import { describeJson, isJsonObject, type JsonObject, jsonMember } from '../base/json-object.ts';

/** One interface of one container: what an ADD made and a DEL removes. */
export interface Attachment {
  readonly containerId: string;
  readonly ifName: string;
}

/** The first is the key the Go library sends, the second the one that the text of the specification names. */
const KEYS = ['cni.dev/valid-attachments', 'cni.dev/attachments'];

/**
 * The attachments listed in a GC's configuration. A missing list is an error (`config`), never an empty one:
 * it would have everything removed.
 */
export function validAttachments(conf: JsonObject): readonly Attachment[] {
  const key = KEYS.find((name) => jsonMember(conf, name) !== undefined);
  if (key === undefined) {
    throw new CalicoError('config', `required ${KEYS[0]} missing`, {
      details: 'GC removes whatever is not in this list; without one it removes nothing',
    });
  }
  const value = jsonMember(conf, key);
  if (!Array.isArray(value)) throw wrong(key, 'an array', value);
  return value.map((item: unknown, i) => attachment(item, `${key}[${i}]`));
}

function attachment(value: unknown, path: string): Attachment {
  if (!isJsonObject(value)) throw wrong(path, 'an object', value);
  return { containerId: textOf(value, 'containerID', path), ifName: textOf(value, 'ifname', path) };
}

function textOf(object: JsonObject, name: string, path: string): string {
  const value = jsonMember(object, name);
  if (typeof value === 'string' && value !== '') return value;
  throw wrong(`${path}.${name}`, 'a non-empty string', value);
}

function wrong(path: string, expected: string, value: unknown): CalicoError {
  return new CalicoError(
    'config',
    `invalid network configuration: ${path} must be ${expected}, found ${describeJson(value)}`,
  );
}
