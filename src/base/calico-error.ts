/**
 * The one error class of the program. A `kind` says what a caller can do about it; the protocol room alone
 * turns kinds into CNI codes. Pure.
 */

/**
 * - `environment`: a CNI environment variable is missing or wrong
 * - `input`: stdin could not be read
 * - `decode`: stdin is not the JSON it should be
 * - `config`: the network configuration is wrong
 * - `unsupported`: the configuration asks for something this program does not do
 * - `version`: the CNI version does not fit
 * - `netns`: the container's network namespace is missing, not one, or the plugin's own
 * - `unavailable`: datastore or another service does not answer, is not ready, or the time is up: try again later
 * - `conflict`: others kept changing the same data until the tries ran out: try again later
 * - `denied`: the datastore or the Kubernetes API refused our credentials or our permission
 * - `corrupt`: stored data cannot be understood
 * - `not-found`: an object that must exist (node, cluster information, pod) does not
 * - `no-address`: no pool qualifies or no address is free
 * - `network`: the kernel refused a step
 * - `difference`: what an ADD has made is not there any more as it was made
 * - `delegate`: a delegated plugin failed
 * - `internal`: a bug
 */
export type ErrorKind =
  | 'environment'
  | 'input'
  | 'decode'
  | 'config'
  | 'unsupported'
  | 'version'
  | 'netns'
  | 'unavailable'
  | 'conflict'
  | 'denied'
  | 'corrupt'
  | 'not-found'
  | 'no-address'
  | 'network'
  | 'difference'
  | 'delegate'
  | 'internal';

export interface ErrorExtras {
  readonly details?: string;
  readonly cause?: unknown;
}

export class CalicoError extends Error {
  override readonly name: string = 'CalicoError';
  readonly kind: ErrorKind;
  /** A longer text for the `details` field of the CNI error: what to do, or the raw cause. */
  readonly details: string | undefined;

  constructor(kind: ErrorKind, message: string, extras: ErrorExtras = {}) {
    super(message, extras.cause === undefined ? undefined : { cause: extras.cause });
    this.kind = kind;
    this.details = extras.details;
  }
}

/** Whether the value is a {@link CalicoError}, optionally of one of the kinds. */
export function isCalicoError(value: unknown, ...kinds: readonly ErrorKind[]): value is CalicoError {
  return value instanceof CalicoError && (kinds.length === 0 || kinds.includes(value.kind));
}

/**
 * The text of anything thrown, without its stack. A connection to a name with several addresses fails with an error for
 * each, and no text of its own.
 */
export function errorText(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return error.errors.map(errorText).join(', ');
  return error instanceof Error ? error.message : String(error);
}
