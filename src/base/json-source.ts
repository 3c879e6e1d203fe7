/**
 * The source text of JSON's values, on the way in and on the way out: numbers that JavaScript cannot hold exactly
 * survive. TypeScript's library does not know these two yet. Pure.
 */

/** Gets the text of a primitive value as it was written; an object or array has none. */
export type SourceReviver = (key: string, value: unknown, context: { readonly source?: string }) => unknown;

/** JSON.parse with a reviver that sees the source. Throws SyntaxError. */
export function parseJsonSource(text: string, revive: SourceReviver): unknown {
  return JSON.parse(text, revive as (key: string, value: unknown) => unknown);
}

/** A value that JSON.stringify prints as exactly this text, which must be that of a primitive. */
export function rawJson(text: string): unknown {
  return (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(text);
}
