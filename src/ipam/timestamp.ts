/** Points in time as block records hold them: RFC 3339, UTC, whole seconds. Pure. */

/** Nanoseconds in a second. */
export const NS_PER_SECOND = 1_000_000_000n;

/** `2026-11-21T10:38:12Z` of nanoseconds since the Unix epoch; the fraction is dropped, as in Go's metav1.Time. */
export function formatTimestamp(ns: bigint): string {
  return `${new Date(Number(ns / 1_000_000n)).toISOString().slice(0, 19)}Z`;
}

/** Nanoseconds since the Unix epoch; `undefined` when the text is not a time. */
export function parseTimestamp(text: string): bigint | undefined {
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? undefined : BigInt(ms) * 1_000_000n;
}
