/** Which known name somebody may have meant. Pure. */

/** More letters than that are another word. */
const MAX_DISTANCE = 3;

/** The known name with the fewest letters to change, whatever their case; `undefined` when none is close. */
export function closestName(name: string, known: readonly string[]): string | undefined {
  const most = Math.min(MAX_DISTANCE, Math.floor(name.length / 2));
  const [closest] = known
    .map((candidate) => ({ candidate, distance: distance(name.toLowerCase(), candidate.toLowerCase()) }))
    .filter((one) => one.distance <= most)
    .sort((a, b) => a.distance - b.distance);
  return closest?.candidate;
}

/** Levenshtein's: letters inserted, removed or replaced. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (const [i, letter] of [...a].entries()) {
    const next = [i + 1];
    for (const [j, other] of [...b].entries()) {
      const replaced = (row[j] ?? 0) + (letter === other ? 0 : 1);
      next.push(Math.min(replaced, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
