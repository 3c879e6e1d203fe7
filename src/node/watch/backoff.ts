/** How long to wait before trying again. Pure. */

const FIRST_MS = 100;
const LONGEST_MS = 5_000;

/**
 * Twice as long after each failure in a row, the first of them number 0; between half of that and all of it, so that a
 * thousand nodes do not come back at once. `fraction` is in [0, 1).
 */
export function backoffMs(failures: number, fraction: number): number {
  const longest = Math.min(LONGEST_MS, FIRST_MS * 2 ** failures);
  return longest * (0.5 + fraction / 2);
}
