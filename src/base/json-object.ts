/** A decoded JSON object, read the way Go's encoding/json reads one. Pure. */

export type JsonObject = Readonly<Record<string, unknown>>;

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * The member of that name: an exact match first, else the last one that differs in case only. `undefined` when
 * there is none or it is `null`, which Go treats alike.
 */
export function jsonMember(object: JsonObject, name: string): unknown {
  const key = jsonKey(object, name);
  return key === undefined ? undefined : (object[key] ?? undefined);
}

/** The name that the member of that name really has, as {@link jsonMember} finds it. */
export function jsonKey(object: JsonObject, name: string): string | undefined {
  if (Object.hasOwn(object, name)) return name;
  const folded = name.toLowerCase();
  return Object.keys(object).findLast((key) => key.toLowerCase() === folded);
}

/** More than any writer makes, and less than what stacks take: Go refuses 10,000. */
const MAX_NESTING = 1_000;

/** Whether objects and lists are nested so deep that a function which follows them all could not. `text` is its source. */
export function isNestedTooDeep(value: unknown, text: string): boolean {
  return text.length > 2 * MAX_NESTING && isDeeperThan(MAX_NESTING, value);
}

function isDeeperThan(levels: number, value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((member) => isDeeperThan(levels - 1, member));
}

/** What a value is, for an error message: `string "1500"`, `number 5`, `an array`. Long strings are cut. */
export function describeJson(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'object') return 'an object';
  return typeof value === 'string'
    ? `string ${JSON.stringify(shorten(value))}`
    : `${typeof value} ${String(value)}`;
}

const SHOWN_LENGTH = 60;

/** The text as an error message shows it: what is too long is cut, and ends in `…`. */
export function shorten(text: string): string {
  return text.length > SHOWN_LENGTH ? `${text.slice(0, SHOWN_LENGTH)}…` : text;
}
