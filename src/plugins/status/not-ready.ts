/** Why a STATUS answers that no container can be added, in the codes that CNI 1.1 has for it. Pure. */

import { CalicoError, type ErrorKind, errorText, isCalicoError } from '../../base/calico-error.ts';
import { CANNOT_SERVICE_ADD, CniError, LIMITED_CONNECTIVITY } from '../../cni/error.ts';

/** What no waiting will change: the answer is the one that an ADD would get. */
const OF_THE_CALL: readonly ErrorKind[] = [
  'environment',
  'input',
  'decode',
  'config',
  'unsupported',
  'version',
];

/** The error of a call that is wrong in itself as it is, anything else as code 50. */
export function unlessWrongCall(error: unknown): unknown {
  return isCalicoError(error, ...OF_THE_CALL) ? error : notReady(error);
}

/** As code 50; 51 stays, by which another plugin says that even running containers may be cut off. */
export function notReady(error: unknown): CniError {
  const code =
    error instanceof CniError && error.code === LIMITED_CONNECTIVITY
      ? LIMITED_CONNECTIVITY
      : CANNOT_SERVICE_ADD;
  return withCode(code, error);
}

/** As code 51. */
export function limitedConnectivity(error: unknown): CniError {
  return withCode(LIMITED_CONNECTIVITY, error);
}

/** Throws one error for all of them, if there are any, in their order. */
export function refuseUnlessReady(reasons: readonly CniError[]): void {
  const [first, ...others] = reasons;
  if (first === undefined) return;
  if (others.length === 0) throw first;
  const code = Math.max(...reasons.map((reason) => reason.code));
  const message = reasons.map((reason) => reason.message).join('; ');
  const details = reasons.flatMap((reason) => reason.details ?? []).join('; ');
  throw new CniError(code, first.kind, message, details === '' ? {} : { details });
}

function withCode(code: number, cause: unknown): CniError {
  if (!(cause instanceof CalicoError)) return new CniError(code, 'internal', errorText(cause), { cause });
  const { kind, details } = cause;
  const message = steady(cause.message);
  if (kind === 'no-address') {
    const why = details === undefined ? message : `${message}. ${details}`;
    return new CniError(code, kind, 'no addresses available', { details: why, cause });
  }
  return new CniError(code, kind, message, { ...(details === undefined ? {} : { details }), cause });
}

/** The same state is to have the same answer, and how many milliseconds a question was given differs from call to call. */
function steady(message: string): string {
  return message.replace(/\b\d+(?= ms\b)/g, (ms) => String(Math.round(Number(ms) / 100) * 100));
}
