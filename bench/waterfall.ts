/** Draws where the time of one call went, from the phases that the plugin logs at debug. Pure. */

export interface Span {
  readonly name: string;
  /** Milliseconds since the process was started. */
  readonly startMs: number;
  readonly endMs: number;
}

const ROW = 26;
const LEFT = 190;
const WIDTH = 560;
const RIGHT = 70;
const TOP = 46;
const COLORS = { runtime: '#9aa5b1', work: '#3b7dd8', datastore: '#d9822b' };

/** The spans of a log line's `phases="configuration 22.6-24.5; read …"`; none where there is no such line. */
export function parsePhases(log: string): readonly Span[] {
  const phases = /phases="([^"]*)"/.exec(log)?.[1] ?? '';
  return phases.split('; ').flatMap((part) => {
    const { name, start, end } = /^(?<name>.+) (?<start>[\d.]+)-(?<end>[\d.]+)$/.exec(part)?.groups ?? {};
    return name === undefined ? [] : [{ name, startMs: Number(start), endMs: Number(end) }];
  });
}

/** Adds what comes before the first span and after the last: the process begins, and it ends. */
export function wholeCall(spans: readonly Span[], wallMs: number): readonly Span[] {
  const firstMs = spans[0]?.startMs ?? wallMs;
  const lastMs = spans.at(-1)?.endMs ?? firstMs;
  return [
    { name: 'Node.js begins', startMs: 0, endMs: firstMs },
    ...spans,
    { name: 'answer, end', startMs: lastMs, endMs: wallMs },
  ];
}

/** An SVG that is readable on light and dark pages. */
export function drawWaterfall(title: string, spans: readonly Span[]): string {
  const totalMs = Math.max(...spans.map(({ endMs }) => endMs));
  const x = (ms: number): number => LEFT + (ms / totalMs) * WIDTH;
  const bottom = TOP + spans.length * ROW;
  const width = LEFT + WIDTH + RIGHT;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${bottom + 30}" font-family="sans-serif" font-size="13">`,
    `<title>${escapeXml(title)}</title>`,
    `<rect width="${width}" height="${bottom + 30}" fill="#ffffff"/>`,
    `<text x="12" y="26" font-size="16" fill="#1f2933">${escapeXml(title)}</text>`,
    ...ticks(totalMs).map((ms) => tick(x(ms), ms, bottom)),
    ...spans.map((span, row) => bar(span, TOP + row * ROW, x)),
    '</svg>',
    '',
  ].join('\n');
}

function ticks(totalMs: number): readonly number[] {
  const step = totalMs > 100 ? 20 : totalMs > 50 ? 10 : 5;
  return Array.from({ length: Math.floor(totalMs / step) + 1 }, (_, index) => index * step);
}

function tick(x: number, ms: number, bottom: number): string {
  return (
    `<line x1="${round(x)}" y1="${TOP - 6}" x2="${round(x)}" y2="${bottom}" stroke="#e4e7eb"/>` +
    `<text x="${round(x)}" y="${bottom + 18}" text-anchor="middle" fill="#616e7c">${ms} ms</text>`
  );
}

function bar({ name, startMs, endMs }: Span, y: number, x: (ms: number) => number): string {
  const left = x(startMs);
  const width = Math.max(1.5, x(endMs) - left);
  return (
    `<text x="${LEFT - 10}" y="${y + 17}" text-anchor="end" fill="#1f2933">${escapeXml(name)}</text>` +
    `<rect x="${round(left)}" y="${y + 4}" width="${round(width)}" height="${ROW - 8}" rx="2" fill="${colorOf(name)}"/>` +
    `<text x="${round(left + width + 5)}" y="${y + 17}" fill="#616e7c">${(endMs - startMs).toFixed(1)}</text>`
  );
}

function colorOf(name: string): string {
  if (name === 'Node.js begins' || name === 'answer, end') return COLORS.runtime;
  return ['read', 'commit', 'open datastore'].includes(name) ? COLORS.datastore : COLORS.work;
}

function round(value: number): string {
  return value.toFixed(1);
}

function escapeXml(text: string): string {
  return text.replace(/[&<>]/g, (character) => `&#${character.charCodeAt(0)};`);
}
