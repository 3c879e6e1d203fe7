/** Draws what one change and the first sync cost, over the size of the cluster. Pure. */

import { percentile } from '../statistics.ts';
import type { SizeResult } from './sizes.ts';

interface Line {
  readonly name: string;
  readonly color: string;
  /** One for each size. */
  readonly values: readonly number[];
}

interface Chart {
  readonly title: string;
  readonly lines: readonly Line[];
}

const [WIDTH, HEIGHT] = [250, 170];
const [LEFT, TOP, GAP] = [52, 78, 62];
const COLORS = { first: '#3b7dd8', second: '#d9822b', text: '#1f2933', faint: '#616e7c', grid: '#e4e7eb' };

/** An SVG that is readable on light and dark pages. */
export function drawConvergence(title: string, sizes: readonly SizeResult[]): string {
  const of = (read: (size: SizeResult) => number) => sizes.map(read);
  const charts: readonly Chart[] = [
    {
      title: 'one block more: ms until it is routed',
      lines: [
        { name: 'p50', color: COLORS.first, values: of(({ addedMs }) => percentile(addedMs, 0.5)) },
        { name: 'p95', color: COLORS.second, values: of(({ addedMs }) => percentile(addedMs, 0.95)) },
      ],
    },
    {
      title: 'first sync: ms until the kernel is equal',
      lines: [
        {
          name: 'elapsed',
          color: COLORS.first,
          values: of(({ firstSyncMs }) => percentile(firstSyncMs, 0.5)),
        },
        {
          name: 'CPU',
          color: COLORS.second,
          values: of(({ firstSyncCpuMs }) => percentile(firstSyncCpuMs, 0.5)),
        },
      ],
    },
    {
      title: 'memory of the agent: MB',
      lines: [{ name: 'peak', color: COLORS.first, values: of(({ peakMb }) => peakMb) }],
    },
  ];
  const width = LEFT + charts.length * (WIDTH + GAP);
  const height = TOP + HEIGHT + 56;
  const nodes = sizes.map(({ nodes }) => nodes);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">`,
    `<title>${escapeXml(title)}</title>`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    `<text x="12" y="26" font-size="16" fill="${COLORS.text}">${escapeXml(title)}</text>`,
    ...charts.map((chart, index) => drawChart(chart, nodes, LEFT + index * (WIDTH + GAP))),
    '</svg>',
    '',
  ].join('\n');
}

function drawChart({ title, lines }: Chart, nodes: readonly number[], left: number): string {
  const top = niceTop(Math.max(...lines.flatMap(({ values }) => values)));
  const x = (index: number) =>
    left + (Math.log(nodes[index] ?? 1) - logOf(nodes.at(0))) * (WIDTH / logRange(nodes));
  const y = (value: number) => TOP + HEIGHT - (value / top) * HEIGHT;
  const text = (at: readonly [number, number], color: string, anchor: string, content: string) =>
    `<text x="${round(at[0])}" y="${round(at[1])}" fill="${color}" text-anchor="${anchor}">${escapeXml(content)}</text>`;
  return [
    text([left, TOP - 30], COLORS.text, 'start', title),
    ...lines.map(({ name, color }, index) =>
      text([left + index * 70, TOP - 12], color, 'start', `● ${name}`),
    ),
    ...[0, 0.25, 0.5, 0.75, 1].flatMap((share) => [
      `<line x1="${left}" y1="${round(y(share * top))}" x2="${left + WIDTH}" y2="${round(y(share * top))}" stroke="${COLORS.grid}"/>`,
      text([left - 6, y(share * top) + 4], COLORS.faint, 'end', (share * top).toLocaleString('en')),
    ]),
    ...nodes.map((count, index) =>
      text([x(index), TOP + HEIGHT + 18], COLORS.faint, 'middle', count.toLocaleString('en')),
    ),
    text([left + WIDTH / 2, TOP + HEIGHT + 38], COLORS.faint, 'middle', 'nodes with 4 blocks each'),
    ...lines.flatMap(({ color, values }) => {
      const points = values.map((value, index) => `${round(x(index))},${round(y(value))}`);
      return [
        `<polyline points="${points.join(' ')}" fill="none" stroke="${color}" stroke-width="2"/>`,
        ...points.map(
          (point) =>
            `<circle cx="${point.split(',')[0]}" cy="${point.split(',')[1]}" r="3" fill="${color}"/>`,
        ),
      ];
    }),
  ].join('\n');
}

function logOf(value: number | undefined): number {
  return Math.log(value ?? 1);
}

function logRange(nodes: readonly number[]): number {
  return logOf(nodes.at(-1)) - logOf(nodes.at(0)) || 1;
}

/** The least of 1, 2, 4, 6 and 8 times a power of ten that the value does not exceed. */
function niceTop(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return ([1, 2, 4, 6, 8].find((factor) => factor * power >= value) ?? 10) * power;
}

function round(value: number): string {
  return value.toFixed(1);
}

function escapeXml(text: string): string {
  return text.replace(/[&<>]/g, (character) => `&#${character.charCodeAt(0)};`);
}
