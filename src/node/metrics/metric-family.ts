/** What Prometheus is told, as data. Pure types. */

export type Labels = Readonly<Record<string, string>>;

interface FamilyHead {
  /** `calico_node_rounds_total`: letters, digits and underscores. */
  readonly name: string;
  /** One sentence. */
  readonly help: string;
}

export interface Sample {
  readonly labels: Labels;
  readonly value: number;
}

/** A number that only grows while the process lives, or one that goes up and down. */
export interface PlainFamily extends FamilyHead {
  readonly type: 'counter' | 'gauge';
  readonly samples: readonly Sample[];
}

export interface HistogramSample {
  readonly labels: Labels;
  /** How many were up to each bound, in the order of the bounds, and not more than the one before. */
  readonly counts: readonly number[];
  readonly count: number;
  readonly sum: number;
}

export interface HistogramFamily extends FamilyHead {
  readonly type: 'histogram';
  /** Upper bounds, ascending, without the infinite one. */
  readonly bounds: readonly number[];
  readonly samples: readonly HistogramSample[];
}

export type MetricFamily = PlainFamily | HistogramFamily;

/** Asked for its numbers whenever somebody wants to see them; it must not take long. */
export type MetricSource = () => readonly MetricFamily[];

/** A number without labels. */
export function gauge(name: string, help: string, value: number): PlainFamily {
  return { type: 'gauge', name, help, samples: [{ labels: {}, value }] };
}

/** A number without labels that only grows. */
export function counter(name: string, help: string, value: number): PlainFamily {
  return { ...gauge(name, help, value), type: 'counter' };
}

/** A gauge with a sample for each entry, the key being the value of the label. */
export function gaugeBy(
  name: string,
  help: string,
  label: string,
  values: Iterable<readonly [labelValue: string, value: number]>,
): PlainFamily {
  const samples = Array.from(values, ([of, value]) => ({ labels: { [label]: of }, value }));
  return { type: 'gauge', name, help, samples };
}

/** The same for numbers that only grow. */
export function counterBy(...args: Parameters<typeof gaugeBy>): PlainFamily {
  return { ...gaugeBy(...args), type: 'counter' };
}
