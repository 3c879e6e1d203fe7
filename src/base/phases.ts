/** Where the time of a call went: spans on the call's own clock, for the log and for the benchmark's picture. */

export interface Phases {
  /** Begins a span; the function it gives ends it. */
  start(name: string): () => void;
  /** All ended spans in the order of their beginning: `name 1.2-3.4; …`, milliseconds since the process began. */
  toString(): string;
}

interface Span {
  readonly name: string;
  readonly startMs: number;
  readonly endMs: number;
}

/** `nowMs`: milliseconds since the process began. */
export function createPhases(nowMs: () => number): Phases {
  const spans: Span[] = [];
  return {
    start: (name) => {
      const startMs = nowMs();
      return () => void spans.push({ name, startMs, endMs: nowMs() });
    },
    toString: () =>
      spans
        .toSorted((a, b) => a.startMs - b.startMs)
        .map(({ name, startMs, endMs }) => `${name} ${startMs.toFixed(1)}-${endMs.toFixed(1)}`)
        .join('; '),
  };
}
