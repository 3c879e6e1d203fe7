/** Counts what happens, for Prometheus. */

import type { Labels, PlainFamily } from './metric-family.ts';

export interface Counter {
  /** By 1 where nothing else is said. */
  readonly add: (labels?: Labels, amount?: number) => void;
  readonly family: () => PlainFamily;
}

/**
 * `known`: labels that are shown as 0 before anything has happened, so that a first event is seen as growth. The name
 * ends in `_total`, as Prometheus has it.
 */
export function createCounter(name: string, help: string, known: readonly Labels[] = []): Counter {
  const samples = new Map<string, { readonly labels: Labels; value: number }>();
  const sampleOf = (labels: Labels) =>
    samples.getOrInsertComputed(JSON.stringify(labels), () => ({ labels, value: 0 }));
  known.forEach(sampleOf);
  return {
    add: (labels = {}, amount = 1) => {
      sampleOf(labels).value += amount;
    },
    family: () => ({
      type: 'counter',
      name,
      help,
      samples: Array.from(samples.values(), (one) => ({ ...one })),
    }),
  };
}
