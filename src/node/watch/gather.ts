/** Gathers changes that come soon after each other: what belongs together, and storms, are then one piece of work. */

export interface Pace {
  /** So long nothing must come. */
  readonly quietMs: number;
  /** After so long it is time, whatever comes. */
  readonly longestMs: number;
}

export interface Gatherer<T> {
  readonly add: (items: readonly T[]) => void;
  /** Hands over at once what has been gathered, if anything. */
  readonly flush: () => void;
  /** Forgets what has been gathered. */
  readonly clear: () => void;
}

/** `handOver` is called with what has been gathered, in order, and never with nothing. */
export function gather<T>(
  { quietMs, longestMs }: Pace,
  handOver: (items: readonly T[]) => void,
): Gatherer<T> {
  let items: T[] = [];
  let quiet: NodeJS.Timeout | undefined;
  let longest: NodeJS.Timeout | undefined;

  function take(): readonly T[] {
    clearTimeout(quiet);
    clearTimeout(longest);
    quiet = undefined;
    longest = undefined;
    const taken = items;
    items = [];
    return taken;
  }
  function flush(): void {
    const taken = take();
    if (taken.length > 0) handOver(taken);
  }
  return {
    add: (more) => {
      for (const item of more) items.push(item);
      longest ??= setTimeout(flush, longestMs);
      if (quiet === undefined) quiet = setTimeout(flush, quietMs);
      else quiet.refresh();
    },
    flush,
    clear: () => void take(),
  };
}
