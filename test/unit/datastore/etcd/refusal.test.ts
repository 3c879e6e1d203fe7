import { describe, expect, it } from 'vitest';
import { isStaleToken, isTransient, storeError } from '../../../../src/datastore/etcd/refusal.ts';
import { CallError, STATUS } from '../../../../src/grpc/call-error.ts';

const endpoints = ['https://10.0.0.1:2379', 'https://10.0.0.2:2379'];
const where = `etcd at ${endpoints.join(', ')}`;

describe('storeError()', () => {
  it.each([
    [
      STATUS.permissionDenied,
      'etcdserver: permission denied',
      'denied permission: grant the user read and write on /calico/',
    ],
    [
      STATUS.unknown,
      'etcdserver: permission denied',
      'denied permission: grant the user read and write on /calico/',
    ],
    [STATUS.permissionDenied, 'RBAC: no', 'denied permission: grant the user read and write on /calico/'],
    [
      STATUS.invalidArgument,
      'etcdserver: authentication failed, invalid user ID or password',
      'did not accept the user name or password',
    ],
    [STATUS.unauthenticated, 'etcdserver: invalid auth token', 'did not accept the user name or password'],
    [STATUS.unauthenticated, '', 'did not accept the user name or password'],
    [
      STATUS.failedPrecondition,
      'etcdserver: authentication is not enabled',
      'has no users: leave out ETCD_USERNAME and ETCD_PASSWORD',
    ],
    [
      STATUS.invalidArgument,
      'etcdserver: user name is empty',
      'wants a user name and password: set ETCD_USERNAME and ETCD_PASSWORD',
    ],
  ])('is denied for code %i and %j, for good', (code, message, text) => {
    const error = new CallError(code, message, true);
    expect(storeError(endpoints, error)).toMatchObject({
      kind: 'denied',
      message: `${where} ${text}`,
      details: message,
    });
    expect(isTransient(error)).toBe(false);
  });

  it.each([
    [STATUS.unavailable, 'connect ECONNREFUSED 127.0.0.1:2379', true],
    [STATUS.deadlineExceeded, 'context deadline exceeded', true],
    [STATUS.resourceExhausted, 'etcdserver: mvcc: database space exceeded', true],
    [STATUS.internal, 'the answer cannot be read', true],
    [STATUS.invalidArgument, 'etcdserver: duplicate key given in txn request', false],
    [STATUS.unimplemented, 'unknown service', false],
  ])(
    'is unavailable for code %i and %j; whether another endpoint is asked: %s',
    (code, message, transient) => {
      const error = new CallError(code, message, true);
      expect(storeError(endpoints, error)).toMatchObject({
        kind: 'unavailable',
        message: `cannot reach ${where}: ${message}`,
        cause: error,
      });
      expect(isTransient(error)).toBe(transient);
    },
  );
});

describe('isStaleToken()', () => {
  it.each([
    ['etcdserver: invalid auth token', true],
    ['etcdserver: revision of auth store is old', true],
    ['etcdserver: permission denied', false],
  ])('%s: %s', (message, stale) => {
    expect(isStaleToken(new CallError(STATUS.unauthenticated, message, true))).toBe(stale);
  });
});
