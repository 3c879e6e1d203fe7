/**
 * Tables as calicoctl prints them, of two kinds: with a frame, or with three blanks after each column. What is in them comes
 * from the datastore, where anything can be. Pure.
 */

import { escapeControls } from '../base/printable.ts';

export interface Column {
  readonly title: string;
  readonly align: 'left' | 'right';
}

type Rows = Iterable<readonly string[]>;

const GAP = 3;
const MIN_WIDTH = 5;

/** As of `calicoctl ipam show` and `node status`. Ends with a line feed. */
export function formatFramedTable(columns: readonly Column[], rows: Rows): string {
  const lines = printableCells(rows);
  const titles = columns.map(({ title }) => title);
  const widths = widthsOf(titles, lines);
  const rule = `+${widths.map((width) => '-'.repeat(width + 2)).join('+')}+\n`;
  const line = (cells: readonly string[], aligns: readonly Column['align'][]) =>
    `| ${widths.map((width, at) => pad(cells[at], width, aligns[at])).join(' | ')} |\n`;
  const head = line(
    titles,
    titles.map(() => 'left'),
  );
  const aligns = columns.map(({ align }) => align);
  return `${rule}${head}${rule}${lines.map((cells) => line(cells, aligns)).join('')}${rule}`;
}

/**
 * As of `calicoctl get`: no frame, blanks after the last column too. `rows`: each as long as the headings. Ends with an
 * empty line, as calicoctl leaves a gap after each table.
 */
export function formatPlainTable(headings: readonly string[], rows: Rows): string {
  const lines = [headings, ...printableCells(rows)];
  const widths = widthsOf(headings, lines).map((width) => Math.max(MIN_WIDTH, width + GAP));
  const formatRow = (cells: readonly string[]) => widths.map((width, at) => pad(cells[at], width)).join('');
  return `${lines.map((cells) => `${formatRow(cells)}\n`).join('')}\n`;
}

function printableCells(rows: Rows): readonly (readonly string[])[] {
  return Array.from(rows, (cells) => cells.map(escapeControls));
}

function widthsOf(titles: readonly string[], lines: readonly (readonly string[])[]): readonly number[] {
  return titles.map((title, at) =>
    lines.reduce((most, cells) => Math.max(most, length(cells[at])), length(title)),
  );
}

/** In characters, as a terminal shows them. */
function length(cell = ''): number {
  return [...cell].length;
}

function pad(cell = '', width: number, align: Column['align'] = 'left'): string {
  const blanks = ' '.repeat(width - length(cell));
  return align === 'left' ? cell + blanks : blanks + cell;
}
