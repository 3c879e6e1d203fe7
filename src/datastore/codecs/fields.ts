/**
 * Reads typed fields out of a decoded JSON object. Go writes an absent value as `null`, as an empty value or
 * not at all, so all of these read as `undefined`. A value of another type is `corrupt`. Pure.
 */

import { isJsonObject, type JsonObject } from '../../base/json-object.ts';
import { corrupt } from './json.ts';

export interface FieldSource {
  readonly object: JsonObject;
  /** The datastore key, for messages. */
  readonly key: string;
}

export function stringField({ object, key }: FieldSource, name: string): string | undefined {
  const value = object[name] ?? undefined;
  if (value === undefined || typeof value === 'string') return value;
  throw wrongType(key, name, 'a string', value);
}

export function booleanField({ object, key }: FieldSource, name: string): boolean | undefined {
  const value = object[name] ?? undefined;
  if (value === undefined || typeof value === 'boolean') return value;
  throw wrongType(key, name, 'true or false', value);
}

/** A whole number of at most 2^53. */
export function integerField({ object, key }: FieldSource, name: string): number | undefined {
  const value = object[name] ?? undefined;
  if (value === undefined || Number.isSafeInteger(value)) return value as number | undefined;
  throw wrongType(key, name, 'an integer', value);
}

/** An unsigned 64-bit integer. */
export function uint64Field(source: FieldSource, name: string): bigint | undefined {
  const value = source.object[name] ?? undefined;
  return value === undefined ? undefined : asUint64(source.key, name, value);
}

export function asUint64(key: string, name: string, value: unknown): bigint {
  const number = typeof value === 'number' && Number.isSafeInteger(value) ? BigInt(value) : value;
  if (typeof number === 'bigint' && number >= 0n && number < 1n << 64n) return number;
  throw wrongType(key, name, 'an unsigned 64-bit integer', value);
}

export function objectField(source: FieldSource, name: string): FieldSource | undefined {
  const value = source.object[name] ?? undefined;
  if (value === undefined) return undefined;
  if (isJsonObject(value)) return { object: value, key: source.key };
  throw wrongType(source.key, name, 'an object', value);
}

export function arrayField({ object, key }: FieldSource, name: string): readonly unknown[] | undefined {
  const value = object[name] ?? undefined;
  if (value === undefined || Array.isArray(value)) return value;
  throw wrongType(key, name, 'an array', value);
}

export function stringArrayField(source: FieldSource, name: string): readonly string[] | undefined {
  const values = arrayField(source, name);
  if (values === undefined || values.every((value) => typeof value === 'string'))
    return values as readonly string[] | undefined;
  throw wrongType(source.key, name, 'an array of strings', values);
}

/** A map from string to string: labels, owner attributes. */
export function stringMapField(
  source: FieldSource,
  name: string,
): Readonly<Record<string, string>> | undefined {
  const map = objectField(source, name)?.object;
  if (map === undefined || Object.values(map).every((value) => typeof value === 'string')) {
    return map as Readonly<Record<string, string>> | undefined;
  }
  throw wrongType(source.key, name, 'a map of strings', map);
}

/** The members of the object that are not in the list of known names. */
export function unknownFields(object: JsonObject, known: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([name]) => !known.includes(name)));
}

export function wrongType(key: string, name: string, expected: string, found: unknown): Error {
  const shown = String(
    JSON.stringify(found, (_key, value) => (typeof value === 'bigint' ? value.toString() : value)),
  );
  return corrupt(
    key,
    `${name} must be ${expected}, found ${shown.length > 60 ? `${shown.slice(0, 60)}…` : shown}`,
  );
}
