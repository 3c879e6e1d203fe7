/** A text that must not be printed by accident: a token, a password, a whole configuration. Pure. */

export interface Secret {
  /** The text itself, for the one place that needs it. */
  reveal(): string;
  /** `[secret]`, which is also what JSON and console output show. */
  toString(): string;
  toJSON(): string;
}

const MASK = '[secret]';

export function secret(text: string): Secret {
  const mask = () => MASK;
  // The symbol is how Node's inspect, and with it every test runner and log, asks an object for its text.
  return Object.freeze({
    reveal: () => text,
    toString: mask,
    toJSON: mask,
    [Symbol.for('nodejs.util.inspect.custom')]: mask,
  });
}
