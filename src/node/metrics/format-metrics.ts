/** Metrics as Prometheus reads them: its text format, version 0.0.4. Pure. */

import type { HistogramSample, Labels, MetricFamily } from './metric-family.ts';

/** What the text is called in HTTP. */
export const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** A family without samples is left out; each name must occur once. */
export function formatMetrics(families: Iterable<MetricFamily>): string {
  return Array.from(families)
    .filter(({ samples }) => samples.length > 0)
    .map(formatFamily)
    .join('');
}

function formatFamily(family: MetricFamily): string {
  const { name, help, type } = family;
  const head = [`# HELP ${name} ${escapeHelp(help)}`, `# TYPE ${name} ${type}`];
  const lines =
    family.type === 'histogram'
      ? family.samples.flatMap((sample) => histogramLines(name, family.bounds, sample))
      : family.samples.map(({ labels, value }) => sampleLine(name, labels, value));
  return [...head, ...lines].map((line) => `${line}\n`).join('');
}

function histogramLines(
  name: string,
  bounds: readonly number[],
  { labels, counts, count, sum }: HistogramSample,
): readonly string[] {
  return [
    ...bounds.map((bound, at) =>
      sampleLine(`${name}_bucket`, { ...labels, le: formatNumber(bound) }, counts[at] ?? 0),
    ),
    sampleLine(`${name}_bucket`, { ...labels, le: '+Inf' }, count),
    sampleLine(`${name}_sum`, labels, sum),
    sampleLine(`${name}_count`, labels, count),
  ];
}

function sampleLine(name: string, labels: Labels, value: number): string {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escapeLabel(text)}"`);
  return `${name}${pairs.length > 0 ? `{${pairs.join(',')}}` : ''} ${formatNumber(value)}`;
}

function formatNumber(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (Number.isFinite(value)) return String(value);
  return value > 0 ? '+Inf' : '-Inf';
}

function escapeHelp(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}

function escapeLabel(text: string): string {
  return escapeHelp(text).replaceAll('"', '\\"');
}
