/** Tables as calicoctl prints them. Pure. */

export interface Column {
  readonly title: string;
  readonly align: 'left' | 'right';
}

/** With a frame, and a line feed at the end. */
export function formatTable(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const widths = columns.map(({ title }, i) =>
    Math.max(title.length, ...rows.map((row) => row[i]?.length ?? 0)),
  );
  const rule = `+${widths.map((width) => '-'.repeat(width + 2)).join('+')}+\n`;
  const line = (cells: readonly string[], aligns: readonly Column['align'][]) =>
    `| ${cells.map((cell, i) => pad(cell, widths[i] ?? 0, aligns[i] ?? 'left')).join(' | ')} |\n`;
  const head = line(
    columns.map(({ title }) => title),
    columns.map(() => 'left'),
  );
  const aligns = columns.map(({ align }) => align);
  return `${rule}${head}${rule}${rows.map((row) => line(row, aligns)).join('')}${rule}`;
}

function pad(text: string, width: number, align: Column['align']): string {
  return align === 'left' ? text.padEnd(width) : text.padStart(width);
}
