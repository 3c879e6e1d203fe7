import { describe, expect, it } from 'vitest';
import {
  type Asker,
  type EndpointFailure,
  isFinal,
  isStaleToken,
  isTransient,
  storeError,
} from '../../../../src/datastore/etcd/refusal.ts';
import { CallError, STATUS } from '../../../../src/grpc/call-error.ts';

const url = 'https://10.0.0.1:2379';
const where = `etcd at ${url}`;
const NOW_NS = 1_795_258_452n * 1_000_000_000n;

function asker(changes: Partial<Asker> = {}): Asker {
  const files = { caCertFile: '/ca.pem', certFile: '/client.pem' };
  const times = { certificateExpiryNs: () => NOW_NS + 1n, nowNs: () => NOW_NS };
  return { ...files, ...times, user: { name: 'calico' }, ...changes };
}

const failed = (error: CallError, at = url): EndpointFailure => ({ url: at, error });
const error = (code: number, message: string, cause?: unknown) => new CallError(code, message, true, cause);

/** As Node.js throws it. */
function nodeError(message: string, code?: string): CallError {
  const cause = Object.assign(new Error(message), code === undefined ? {} : { code });
  return error(STATUS.unavailable, message, new Error(message, { cause }));
}

const alert = (text: string) =>
  nodeError(
    `C0:error:0A000418:SSL routines:ssl3_read_bytes:${text}:../deps/openssl/ssl/record/rec.c:1605:SSL alert number 48\n`,
  );

describe('storeError()', () => {
  it.each([
    [STATUS.permissionDenied, 'etcdserver: permission denied', /^denied permission of user "calico": /],
    [STATUS.unknown, 'etcdserver: permission denied', /^denied permission/],
    [STATUS.permissionDenied, 'RBAC: no', /^denied permission/],
    [
      STATUS.invalidArgument,
      'etcdserver: authentication failed, invalid user ID or password',
      /^did not accept the user name or password of user "calico": /,
    ],
    [STATUS.unauthenticated, 'etcdserver: invalid auth token', /^did not accept the user name or password/],
    [STATUS.unauthenticated, '', /^did not accept the user name or password/],
    [STATUS.failedPrecondition, 'etcdserver: authentication is not enabled', /^has no users: /],
    [STATUS.invalidArgument, 'etcdserver: user name is empty', /^wants a user name and password: /],
  ])('is denied for code %i and %j, for good', (code, message, text) => {
    const refusal = error(code, message);
    const { kind, message: told, details } = storeError([failed(refusal)], asker());
    expect(kind).toBe('denied');
    expect(told.replace(`${where} `, '')).toMatch(text);
    expect(told).toContain(message);
    expect(details).toBeTruthy();
    expect(isTransient(refusal)).toBe(false);
    expect(isFinal(refusal)).toBe(true);
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
      const failure = error(code, message);
      expect(storeError([failed(failure)], asker())).toMatchObject({
        kind: 'unavailable',
        message: `cannot reach ${where}: ${message}`,
        details: 'check that etcd is running, and that etcd_endpoints are its client URLs',
        cause: failure,
      });
      expect(isTransient(failure)).toBe(transient);
      expect(isFinal(failure)).toBe(!transient);
    },
  );

  const reason = 'unable to get local issuer certificate';
  it.each([
    [
      'a CA that is not ours',
      nodeError(reason, 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY'),
      asker(),
      'config',
      `has a certificate that is not trusted: ${reason} (by /ca.pem)`,
    ],
    [
      'a CA that is not the system’s',
      nodeError(reason, 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY'),
      asker({ caCertFile: undefined }),
      'config',
      `has a certificate that is not trusted: ${reason} (by the CAs of the system, as etcd_ca_cert_file is not set)`,
    ],
    [
      'an expired certificate',
      nodeError('certificate has expired', 'CERT_HAS_EXPIRED'),
      asker(),
      'unavailable',
      'has a certificate that has expired: certificate has expired',
    ],
    [
      'another host name',
      nodeError('Host: a. is not b', 'ERR_TLS_CERT_ALTNAME_INVALID'),
      asker(),
      'config',
      'has a certificate for another host: Host: a. is not b',
    ],
    ['no TLS', alert('wrong version number'), asker(), 'config', 'does not speak TLS: wrong version number'],
    [
      'a refusal of our certificate',
      alert('tlsv1 alert unknown ca'),
      asker(),
      'denied',
      'did not accept the client certificate /client.pem: tlsv1 alert unknown ca',
    ],
    [
      'a refusal of our expired certificate',
      alert('sslv3 alert bad certificate'),
      asker({ certificateExpiryNs: () => NOW_NS }),
      'denied',
      'did not accept the client certificate /client.pem, which expired at 2026-11-21T10:54:12Z: sslv3 alert bad certificate',
    ],
    [
      'a refusal without a certificate of ours',
      alert('tlsv13 alert certificate required'),
      asker({ certFile: undefined }),
      'denied',
      'wants a client certificate: tlsv13 alert certificate required',
    ],
  ] as const)('tells %s', (_what, failure, who, kind, text) => {
    const told = storeError([failed(failure)], who);
    expect(told).toMatchObject({ kind, message: `${where} ${text}` });
    expect(told.details).toBeTruthy();
    expect(isTransient(failure)).toBe(true);
    expect(isFinal(failure)).toBe(true);
  });

  it('names every endpoint and what it did, and is unavailable when they differ', () => {
    const failures = [
      failed(nodeError('certificate has expired', 'CERT_HAS_EXPIRED'), 'https://a:2379'),
      failed(alert('wrong version number'), 'https://b:2379'),
      failed(error(STATUS.unavailable, 'connect ECONNREFUSED'), 'https://c:2379'),
    ];
    expect(storeError(failures, asker())).toMatchObject({
      kind: 'unavailable',
      message: expect.stringMatching(
        /a:2379 has .*; etcd at https:\/\/b:2379 does .*; cannot reach .*c:2379: connect/,
      ),
    });
  });

  it('tells the refusal alone when a cluster gave one, whatever ails other endpoints', () => {
    const failures = [
      failed(error(STATUS.unavailable, 'connect ECONNREFUSED'), 'https://a:2379'),
      failed(error(STATUS.permissionDenied, 'etcdserver: permission denied')),
    ];
    const { kind, message } = storeError(failures, asker());
    expect({ kind, message }).toEqual({
      kind: 'denied',
      message: `${where} denied permission of user "calico": etcdserver: permission denied`,
    });
  });
});

describe('isStaleToken()', () => {
  it.each([
    ['etcdserver: invalid auth token', true],
    ['etcdserver: revision of auth store is old', true],
    ['etcdserver: permission denied', false],
  ])('%s: %s', (message, stale) => {
    expect(isStaleToken(error(STATUS.unauthenticated, message))).toBe(stale);
  });
});
