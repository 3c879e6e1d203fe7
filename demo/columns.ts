/** Text in columns that are as wide as they must be. */

/** One line for each row; cells of a column begin below each other. */
export function columns(rows: readonly (readonly string[])[], gap = 3): string {
  const widths: number[] = [];
  for (const row of rows)
    for (const [index, cell] of row.entries()) widths[index] = Math.max(widths[index] ?? 0, cell.length);
  return rows
    .map((row) =>
      row
        .map((cell, index) => cell.padEnd((widths[index] ?? 0) + gap))
        .join('')
        .trimEnd(),
    )
    .join('\n');
}
