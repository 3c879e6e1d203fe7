/** Reads the text format of Prometheus, as strictly as Prometheus itself, and stricter where it forgives too much. */

export interface ReadFamily {
  readonly help: string;
  readonly type: string;
  /** Label values in the order of the text, by name, with the name of the sample as `__name__`. */
  readonly samples: readonly { readonly labels: Readonly<Record<string, string>>; readonly value: number }[];
}

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/s;
const LABEL = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\n"])*)"(?:,(?=.)|$)/s;

/** Throws what is wrong with it, with the line. */
export function readMetrics(text: string): ReadonlyMap<string, ReadFamily> {
  if (text !== '' && !text.endsWith('\n')) throw new Error('the last line does not end');
  const families = new Map<
    string,
    { help: string; type: string; samples: ReadFamily['samples'][number][] }
  >();
  const series = new Set<string>();
  let current = '';
  for (const line of text.split('\n').slice(0, -1)) {
    const wrong = (why: string) => new Error(`${why}: ${line}`);
    const [, keyword, name = '', rest = ''] = /^# (HELP|TYPE) (\S+) (.*)$/s.exec(line) ?? [];
    if (keyword === 'HELP') {
      if (!NAME.test(name)) throw wrong('no name');
      if (families.has(name)) throw wrong('a second family of this name');
      if (/\\(?![\\n])/.test(rest.replaceAll('\\\\', ''))) throw wrong('an unknown escape');
      families.set(name, { help: rest, type: '', samples: [] });
      current = name;
    } else if (keyword === 'TYPE') {
      const family = families.get(name);
      if (family === undefined || name !== current || family.type !== '')
        throw wrong('TYPE without its HELP');
      if (!['counter', 'gauge', 'histogram'].includes(rest)) throw wrong('an unknown type');
      family.type = rest;
    } else {
      const family = families.get(current);
      if (family === undefined || family.type === '') throw wrong('a sample without its HELP and TYPE');
      const { labels, value } = readSample(line, wrong);
      const suffixes = family.type === 'histogram' ? ['_bucket', '_sum', '_count'] : [''];
      if (!suffixes.some((suffix) => labels.__name__ === current + suffix))
        throw wrong('a sample of another family');
      const id = JSON.stringify(Object.entries(labels).toSorted());
      if (series.has(id)) throw wrong('a series that was there before');
      series.add(id);
      if (family.type === 'counter' && !(value >= 0)) throw wrong('a counter below 0');
      family.samples.push({ labels, value });
    }
  }
  for (const [name, family] of families) {
    if (family.samples.length === 0) throw new Error(`${name} has no samples`);
    if (family.type === 'counter' && !name.endsWith('_total') && !name.startsWith('felix_'))
      throw new Error(`${name} is a counter and must end in _total`);
    if (family.type === 'histogram') checkHistogram(name, family);
  }
  return families;
}

function readSample(line: string, wrong: (why: string) => Error): ReadFamily['samples'][number] {
  const [, name, pairs = '', number = ''] = SAMPLE.exec(line) ?? [];
  if (name === undefined) throw wrong('no sample');
  const labels: Record<string, string> = { __name__: name };
  for (let rest = pairs; rest !== ''; ) {
    const [all, label = '', value = ''] = LABEL.exec(rest) ?? [];
    if (all === undefined) throw wrong('a label that cannot be read');
    if (label in labels) throw wrong('a label that is there twice');
    labels[label] = value.replace(/\\(.)/g, (_, escaped) => (escaped === 'n' ? '\n' : escaped));
    rest = rest.slice(all.length);
  }
  const value = number.endsWith('Inf')
    ? Number.parseFloat(number.replace('Inf', 'Infinity'))
    : Number(number);
  if (Number.isNaN(value) && number !== 'NaN') throw wrong('a value that is no number');
  return { labels, value };
}

function checkHistogram(name: string, { samples }: ReadFamily): void {
  const groups = Map.groupBy(samples, ({ labels: { __name__, le, ...labels } }) => JSON.stringify(labels));
  for (const group of groups.values()) {
    const buckets = group.filter(({ labels }) => labels.__name__ === `${name}_bucket`);
    const bounds = buckets.map(({ labels }) => Number((labels.le ?? '').replace('+Inf', 'Infinity')));
    const count = group.find(({ labels }) => labels.__name__ === `${name}_count`)?.value;
    if (bounds.at(-1) !== Number.POSITIVE_INFINITY || buckets.at(-1)?.value !== count)
      throw new Error(`${name}: the last bucket is not all there is`);
    if (!group.some(({ labels }) => labels.__name__ === `${name}_sum`)) throw new Error(`${name} has no sum`);
    const isAscending = (values: readonly number[]) =>
      values.every((value, at) => at === 0 || (values[at - 1] ?? 0) <= value);
    if (!isAscending(bounds) || !isAscending(buckets.map(({ value }) => value)))
      throw new Error(`${name}: its buckets do not ascend`);
  }
}

/** The value of the one sample with these labels, whatever others it has; `undefined` when there is none. */
export function metricValue(
  families: ReadonlyMap<string, ReadFamily>,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number | undefined {
  const family = families.get(name) ?? families.get(name.replace(/_(?:bucket|sum|count)$/, ''));
  const found = family?.samples.filter(
    (sample) =>
      sample.labels.__name__ === name &&
      Object.entries(labels).every(([label, value]) => sample.labels[label] === value),
  );
  if (found !== undefined && found.length > 1) throw new Error(`${found.length} samples of ${name}`);
  return found?.[0]?.value;
}
