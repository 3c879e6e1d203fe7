/** Feeds a decoder until it misbehaves: it may understand its input or refuse it, but it may do nothing else. */

import { Script } from 'node:vm';
import fc from 'fast-check';
import { errorText, isCalicoError } from '../../src/base/calico-error.ts';

/** A decoder that takes longer for one input hangs, or will with a larger one; on a busy machine, too. */
const LIMIT_MS = 15_000;
/** How long one decoder is fed, unless a number of runs is asked for. */
const DEFAULT_TIME_MS = 1_500;
/** Of what a decoder failed at; the seed gives all of it again. */
const MAX_REPORT_CHARACTERS = 3_000;

const { FUZZ_RUNS, FUZZ_SEED } = process.env;

/** How often each decoder is fed, and from which seed: `make fuzz RUNS=100000 SEED=1`. */
const parameters = {
  ...(FUZZ_RUNS === undefined
    ? { numRuns: 5_000, interruptAfterTimeLimit: DEFAULT_TIME_MS }
    : { numRuns: Number(FUZZ_RUNS) }),
  ...(FUZZ_SEED === undefined ? {} : { seed: Number(FUZZ_SEED) }),
};

/** {@link parameters}, with a report that is no longer than a person reads. */
export function fuzzing<Inputs>(): fc.Parameters<Inputs> {
  return { ...parameters, reporter };
}

function reporter<Inputs>(details: fc.RunDetails<Inputs>): void {
  if (!details.failed) return;
  const report = fc.defaultReportMessage(details) ?? '';
  const { errorInstance: cause } = details;
  throw new Error(`${errorText(cause)}\n${report.slice(0, MAX_REPORT_CHARACTERS)}`, { cause });
}

/** What a decoder says to input that it does not take. */
export type Refusal = (error: unknown) => boolean;

/** With a kind, and not that of a mistake of ours. */
export const isRefusal: Refusal = (error) => isCalicoError(error) && error.kind !== 'internal';

/** The `RangeError` that the readers of wire formats document; Node.js gives those of its own a code. */
export const isRangeRefusal: Refusal = (error) =>
  error instanceof RangeError && !('code' in error) && !/call stack|array length|BigInt/.test(error.message);

/** `decode` gives a value or throws what `refuses` knows, and ends, for each of very many inputs. */
export function survives<Input>(
  inputs: fc.Arbitrary<Input>,
  decode: (input: Input) => unknown,
  refuses: Refusal = isRefusal,
): void {
  fc.assert(
    fc.property(inputs, (input) => {
      try {
        withinLimit(() => decode(input));
      } catch (error) {
        if (!refuses(error)) throw error;
      }
    }),
    fuzzing(),
  );
}

/** {@link survives} for what answers later. */
export function survivesLater<Input>(
  inputs: fc.Arbitrary<Input>,
  decode: (input: Input) => Promise<unknown>,
  refuses: Refusal = isRefusal,
): Promise<void> {
  return fc.assert(
    fc.asyncProperty(inputs, async (input) => {
      try {
        await withinLimit(() => decode(input));
      } catch (error) {
        if (!refuses(error)) throw error;
      }
    }),
    fuzzing(),
  );
}

let pending: () => unknown = () => undefined;
Object.defineProperty(globalThis, Symbol.for('fuzz.run'), { value: () => pending() });
const script = new Script('globalThis[Symbol.for("fuzz.run")]()');

/** A loop without an end cannot be left from outside, but for this. */
function withinLimit<T>(run: () => T): T {
  pending = run;
  return script.runInThisContext({ timeout: LIMIT_MS });
}
