/** A table as calicoctl prints it: three blanks after the widest cell of a column, also of the last one. Pure. */

const GAP = 3;
const MIN_WIDTH = 5;

/** `rows`: each as long as the headings. Ends with an empty line, as calicoctl leaves a gap after each table. */
export function formatTable(headings: readonly string[], rows: Iterable<readonly string[]>): string {
  const lines = [headings, ...rows];
  const widths = headings.map((_, column) =>
    Math.max(MIN_WIDTH, GAP + lines.reduce((most, cells) => Math.max(most, length(cells[column])), 0)),
  );
  return `${lines.map((cells) => `${formatRow(cells, widths)}\n`).join('')}\n`;
}

function formatRow(cells: readonly string[], widths: readonly number[]): string {
  return widths
    .map((width, column) => (cells[column] ?? '') + ' '.repeat(width - length(cells[column])))
    .join('');
}

function length(cell = ''): number {
  return [...cell].length;
}
