/** The JSON of a record, read as far as the agent needs it. Pure. */

import { errorText } from '../base/calico-error.ts';
import { isJsonObject } from '../base/json-object.ts';
import { type FieldSource, objectField } from '../datastore/codecs/fields.ts';
import { corrupt } from '../datastore/codecs/json.ts';

/**
 * The object as it is written. Throws `corrupt`, naming the key. Integers beyond 2^53 lose their last digits: those of
 * a block are IPAM's business, and a reader that keeps them takes ten times as long.
 */
export function decodeRecord(text: string, key: string): FieldSource {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw corrupt(key, errorText(cause), cause);
  }
  if (!isJsonObject(value)) throw corrupt(key, 'it is not a JSON object');
  return { object: value, key };
}

/** The member of that name; empty when it is missing. */
export function objectOrEmpty(source: FieldSource, name: string): FieldSource {
  return objectField(source, name) ?? { object: {}, key: source.key };
}
