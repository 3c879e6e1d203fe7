/** Points in time as Calico writes them. Pure: the time comes in as nanoseconds since the epoch. */

export const NS_PER_SECOND = 1_000_000_000n;

/** RFC 3339 in UTC, whole seconds: `2026-11-21T10:54:12Z` (Kubernetes' metav1.Time). */
export function formatRfc3339(ns: bigint): string {
  return new Date(Number(ns / 1_000_000n)).toISOString().replace(/\.\d+Z$/, 'Z');
}

/** As Go prints a time: `2026-11-21 10:54:12.643565758 +0000 UTC`, zeros at the end of the fraction left out. */
export function formatGoTime(ns: bigint): string {
  const [date = '', time = ''] = formatRfc3339(ns).replace('Z', '').split('T');
  const fraction = (ns % NS_PER_SECOND).toString().padStart(9, '0').replace(/0+$/, '');
  return `${date} ${time}${fraction === '' ? '' : `.${fraction}`} +0000 UTC`;
}

/** Nanoseconds since the epoch of an RFC 3339 text; `undefined` when it is not one. */
export function parseRfc3339(text: string): bigint | undefined {
  const ms = /^\d{4}-\d{2}-\d{2}T/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(ms) ? undefined : BigInt(ms) * 1_000_000n;
}

/**
 * Nanoseconds since the epoch of a time as {@link formatGoTime} writes it, with or without the monotonic clock that Go
 * appends (` m=+0.1`); `undefined` when it is not one.
 */
export function parseGoTime(text: string): bigint | undefined {
  const match = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d(?:\.\d+)?) \+0000 UTC(?: m=|$)/.exec(text);
  return match === null ? undefined : parseRfc3339(`${match[1]}T${match[2]}Z`);
}
