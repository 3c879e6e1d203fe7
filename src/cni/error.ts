/** Errors as the runtime sees them: a code, a message, details (CNI 1.1 §Error). Pure. */

import {
  CalicoError,
  type ErrorExtras,
  type ErrorKind,
  errorText,
  isCalicoError,
} from '../base/calico-error.ts';
import type { CniVersion } from './version.ts';

/** Codes that no kind of error stands for; a verb chooses them itself with {@link CniError}. */
export const UNKNOWN_CONTAINER = 3;
export const CANNOT_SERVICE_ADD = 50;
export const LIMITED_CONNECTIVITY = 51;
/** A GC that left something behind. */
export const INCOMPLETE_GC = 107;

/**
 * The code of every kind of error. 1–99 have the meaning the CNI specification gives them (8 is the Go
 * library's), 11 asks the runtime to try again later, 100 and above are ours, 999 is what Calico's plugin
 * uses for everything.
 */
export const CODE_OF_KIND: Readonly<Record<ErrorKind, number>> = {
  version: 1,
  unsupported: 2,
  environment: 4,
  input: 5,
  decode: 6,
  config: 7,
  netns: 8,
  unavailable: 11,
  conflict: 11,
  network: 101,
  'no-address': 102,
  'not-found': 103,
  denied: 104,
  corrupt: 105,
  delegate: 106,
  difference: 108,
  internal: 999,
};

/** An error whose CNI code is not the one of its kind. */
export class CniError extends CalicoError {
  readonly code: number;

  constructor(code: number, kind: ErrorKind, message: string, extras: ErrorExtras = {}) {
    super(kind, message, extras);
    this.code = code;
  }
}

/** The error object; `details` is absent when there is nothing to say. */
export interface CniErrorObject {
  readonly code: number;
  readonly msg: string;
  readonly details?: string;
}

/**
 * What to tell the runtime about anything thrown: the outermost error of the cause chain that has a kind,
 * else the text of the error itself under code 999.
 */
export function cniErrorOf(error: unknown): CniErrorObject {
  const known = firstCalicoError(error);
  if (known === undefined) {
    return { code: CODE_OF_KIND.internal, msg: errorText(error) || 'unknown error' };
  }
  return {
    code: known instanceof CniError ? known.code : CODE_OF_KIND[known.kind],
    msg: known.message,
    ...(known.details ? { details: known.details } : {}),
  };
}

/** The JSON that goes to stdout: 4 spaces of indentation, no newline at the end. */
export function formatError(error: unknown, cniVersion: CniVersion): string {
  return JSON.stringify({ cniVersion, ...cniErrorOf(error) }, null, 4);
}

const MAX_CAUSES = 16;

function firstCalicoError(error: unknown): CalicoError | undefined {
  let current = error;
  for (let depth = 0; depth < MAX_CAUSES && current instanceof Error; depth++) {
    if (isCalicoError(current)) return current;
    current = current.cause;
  }
  return undefined;
}
