/** What etcd says when it will not serve us, and what the operator can do about it. Pure. */

import { CalicoError } from '../../base/calico-error.ts';
import { type CallError, STATUS } from '../../grpc/call-error.ts';

/** No other endpoint and no later try would answer otherwise. */
export type Refusal = 'permission' | 'credentials' | 'no users' | 'user missing';

/** Codes of failures that another endpoint, or a later try, may not have. */
const TRANSIENT: readonly number[] = [
  STATUS.cancelled,
  STATUS.unknown,
  STATUS.deadlineExceeded,
  STATUS.resourceExhausted,
  STATUS.aborted,
  STATUS.internal,
  STATUS.unavailable,
];

export function isTransient(error: CallError): boolean {
  return TRANSIENT.includes(error.code) && refusalOf(error) === undefined;
}

/** etcd's token has expired, was lost in its restart, or is older than a change of its users. */
export function isStaleToken({ message }: CallError): boolean {
  return /invalid auth token|revision of auth store is old/.test(message);
}

/** etcd's own words count more than its codes, which differ between its versions. */
function refusalOf(error: CallError): Refusal | undefined {
  const { code, message } = error;
  if (/permission denied/.test(message)) return 'permission';
  if (/authentication is not enabled/.test(message)) return 'no users';
  if (/user name is empty/.test(message)) return 'user missing';
  if (/authentication failed/.test(message) || isStaleToken(error)) return 'credentials';
  if (code === STATUS.permissionDenied) return 'permission';
  return code === STATUS.unauthenticated ? 'credentials' : undefined;
}

const ADVICE: Readonly<Record<Refusal, string>> = {
  permission: 'denied permission: grant the user read and write on /calico/',
  credentials: 'did not accept the user name or password',
  'no users': 'has no users: leave out ETCD_USERNAME and ETCD_PASSWORD',
  'user missing': 'wants a user name and password: set ETCD_USERNAME and ETCD_PASSWORD',
};

/** The error as the rest of the program knows errors: `denied` or `unavailable`. */
export function storeError(endpoints: readonly string[], error: CallError): CalicoError {
  const where = `etcd at ${endpoints.join(', ')}`;
  const refusal = refusalOf(error);
  if (refusal !== undefined) {
    return new CalicoError('denied', `${where} ${ADVICE[refusal]}`, { details: error.message, cause: error });
  }
  return new CalicoError('unavailable', `cannot reach ${where}: ${error.message}`, {
    details:
      'Check that etcd is running and that etcd_endpoints and the TLS files in the network configuration are right.',
    cause: error,
  });
}
