/** Counts how long things take, for Prometheus. */

import type { HistogramFamily, Labels } from './metric-family.ts';

export interface Histogram {
  /** In the unit of the bounds: seconds, as Prometheus has it. */
  readonly observe: (value: number, labels?: Labels) => void;
  readonly family: () => HistogramFamily;
}

/** From a millisecond to a minute: whatever the agent does, and whatever waits for it. */
export const DURATION_BOUNDS: readonly number[] = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
];

/** `bounds`: ascending upper bounds, without the infinite one. */
/** `known`: labels that are shown before anything has happened. */
export function createHistogram(
  name: string,
  help: string,
  bounds: readonly number[] = DURATION_BOUNDS,
  known: readonly Labels[] = [],
): Histogram {
  const samples = new Map<
    string,
    { readonly labels: Labels; counts: number[]; count: number; sum: number }
  >();
  const sampleOf = (labels: Labels) =>
    samples.getOrInsertComputed(JSON.stringify(labels), () => ({
      ...{ labels, count: 0, sum: 0 },
      counts: bounds.map(() => 0),
    }));
  known.forEach(sampleOf);
  return {
    observe: (value, labels = {}) => {
      const sample = sampleOf(labels);
      sample.count += 1;
      sample.sum += value;
      sample.counts = sample.counts.map((count, at) => count + Number(value <= (bounds[at] ?? 0)));
    },
    family: () => ({
      ...{ type: 'histogram', name, help, bounds },
      samples: Array.from(samples.values(), (one) => ({ ...one })),
    }),
  };
}
