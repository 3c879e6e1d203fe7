/** What ends a call before its time: the signal by which its process is told to stop. Pure. */

export interface Interruption {
  /** What came, `SIGTERM`; `undefined` while the call may go on. */
  readonly signal: () => string | undefined;
  /** Runs the listener when it comes, at once when it has come; disposing takes the listener back. */
  readonly listen: (listener: () => void) => Disposable;
}

/** Of work that must not be cut short, such as taking back what was done. */
export const UNINTERRUPTED: Interruption = {
  signal: () => undefined,
  listen: () => ({ [Symbol.dispose]: () => undefined }),
};

/** The same, some time later. */
export function delayed({ signal, listen }: Interruption, delay: () => Promise<void>): Interruption {
  return { signal, listen: (listener) => listen(() => void delay().then(listener)) };
}

export interface Interrupter {
  readonly interruption: Interruption;
  /** Only the first signal counts. */
  readonly interrupt: (signal: string) => void;
}

export function createInterrupter(): Interrupter {
  const listeners = new Set<() => void>();
  let came: string | undefined;
  return {
    interruption: {
      signal: () => came,
      listen: (listener) => {
        if (came === undefined) listeners.add(listener);
        else listener();
        return { [Symbol.dispose]: () => void listeners.delete(listener) };
      },
    },
    interrupt: (signal) => {
      if (came !== undefined) return;
      came = signal;
      for (const listener of listeners) listener();
      listeners.clear();
    },
  };
}
