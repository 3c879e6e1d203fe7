/**
 * JSON as Calico's Go writes it: 64-bit integers survive, and `<`, `>`, `&` and the two Unicode line
 * separators are escaped. Pure.
 */

import { CalicoError, errorText } from '../../base/calico-error.ts';
import { isJsonObject, isNestedTooDeep, type JsonObject } from '../../base/json-object.ts';
import { parseJsonSource, rawJson, type SourceReviver } from '../../base/json-source.ts';

/** Parses text to a JSON object. Integers beyond 2^53 become bigint. Throws `corrupt`, naming the key. */
export function parseJsonObject(text: string, key: string): JsonObject {
  let value: unknown;
  try {
    // Only text with a long run of digits can hold such an integer; a reviver is slow for all the rest.
    value = /\d{16}/.test(text) ? parseJsonSource(text, keepLargeIntegers) : JSON.parse(text);
  } catch (cause) {
    throw corrupt(key, errorText(cause), cause);
  }
  if (!isJsonObject(value)) throw corrupt(key, 'it is not a JSON object');
  if (isNestedTooDeep(value, text)) throw corrupt(key, 'it is nested too deep');
  return value;
}

const keepLargeIntegers: SourceReviver = (_key, value, context) =>
  typeof value === 'number' && !Number.isSafeInteger(value) && /^-?\d+$/.test(context.source ?? '')
    ? BigInt(context.source ?? 0)
    : value;

/** Compact JSON; bigint as a bare integer; escapes as Go's encoder makes them. */
export function formatJson(value: object | string | number | boolean | bigint | null): string;
export function formatJson(value: unknown): string | undefined;
export function formatJson(value: unknown): string | undefined {
  return JSON.stringify(value, (_key, member: unknown) =>
    typeof member === 'bigint' ? rawJson(member.toString()) : member,
  )?.replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/**
 * An object whose members appear in the given order, whatever their names (JavaScript would move names like
 * "10" to the front). Members whose value is `undefined` are left out; values are JSON text.
 */
export function formatMembers(members: Iterable<readonly [name: string, json: string | undefined]>): string {
  const present = Array.from(members).filter(([, json]) => json !== undefined);
  return `{${present.map(([name, json]) => `${formatJson(name)}:${json}`).join(',')}}`;
}

/** Fields that were read without being understood, as members to write back after the known ones. */
export function unknownMembers(
  fields: JsonObject,
): readonly (readonly [name: string, json: string | undefined])[] {
  return Object.entries(fields).map(([name, value]) => [name, formatJson(value)]);
}

/** A map as Go prints it: names in byte order, "0" "1" "10" "2". */
export function formatMap(entries: Iterable<readonly [name: string, value: unknown]>): string {
  const sorted = Array.from(entries).sort(([a], [b]) => (a < b ? -1 : 1));
  return formatMembers(sorted.map(([name, value]) => [name, formatJson(value)]));
}

/** The error for stored data that cannot be understood. */
export function corrupt(key: string, why: string, cause?: unknown): CalicoError {
  return new CalicoError('corrupt', `cannot understand the datastore's value of ${key}: ${why}`, {
    details: 'Look at the value with etcdctl and repair or delete the key.',
    cause,
  });
}
