/** What etcd says when it will not serve us, or does not say, and what the operator can do about it. Pure. */

import { CalicoError, type ErrorKind } from '../../base/calico-error.ts';
import { formatRfc3339 } from '../../base/time.ts';
import { type CallError, STATUS } from '../../grpc/call-error.ts';
import { type TlsFailure, tlsFailureOf } from './tls-failure.ts';

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

/** Another endpoint may do, but this one will not, however often it is asked. */
export function isFinal(error: CallError): boolean {
  return !isTransient(error) || tlsFailureOf(error) !== undefined;
}

/** etcd's token has expired, was lost in its restart, or is older than a change of its users. */
export function isStaleToken({ message }: CallError): boolean {
  return /invalid auth token|revision of auth store is old/.test(message);
}

/** etcd's own words count more than its codes, which differ between its versions. */
export function refusalOf(error: CallError): Refusal | undefined {
  const { code, message } = error;
  if (/permission denied/.test(message)) return 'permission';
  if (/authentication is not enabled/.test(message)) return 'no users';
  if (/user name is empty/.test(message)) return 'user missing';
  if (/authentication failed/.test(message) || isStaleToken(error)) return 'credentials';
  if (code === STATUS.permissionDenied) return 'permission';
  return code === STATUS.unauthenticated ? 'credentials' : undefined;
}

/** An endpoint that did not serve us, and how. */
export interface EndpointFailure {
  readonly url: string;
  readonly error: CallError;
}

/** Who asked. */
export interface Asker {
  readonly caCertFile: string | undefined;
  readonly certFile: string | undefined;
  /** Until when the certificate is good, nanoseconds since the epoch; `undefined` when that is not known. */
  readonly certificateExpiryNs: () => bigint | undefined;
  readonly user: { readonly name: string } | undefined;
  readonly nowNs: () => bigint;
}

interface Verdict {
  readonly kind: ErrorKind;
  readonly what: string;
  /** What to do. */
  readonly details?: string;
}

/**
 * The error as the rest of the program knows errors: what each endpoint did, the first for the kind. `denied` when etcd
 * knows us and will not; `config` when the TLS files or URLs cannot be right; else `unavailable`.
 */
export function storeError(failures: readonly EndpointFailure[], asker: Asker): CalicoError {
  const told = failures.map(({ url, error }) => ({ error, ...verdictOn(`etcd at ${url}`, error, asker) }));
  // A refusal was said by a cluster that works: what ails other endpoints is not what has to be put right.
  const refused = told.filter(({ error }) => refusalOf(error) !== undefined);
  const shown = refused.length > 0 ? refused : told;
  const kinds = new Set(shown.map(({ kind }) => kind));
  const [kind = 'unavailable'] = kinds.size === 1 ? kinds : [];
  const details = [...new Set(shown.flatMap((each) => each.details ?? []))].join('; ');
  return new CalicoError(kind, shown.map(({ what }) => what).join('; '), {
    details,
    cause: shown[0]?.error,
  });
}

function verdictOn(where: string, error: CallError, asker: Asker): Verdict {
  const refusal = refusalOf(error);
  if (refusal !== undefined) return verdictOnRefusal(where, refusal, error, asker);
  const failure = tlsFailureOf(error);
  if (failure !== undefined) return verdictOnTls(where, failure, asker);
  const { message } = error;
  if (/has been compacted/.test(message)) {
    return {
      kind: 'conflict',
      what: `${where} has forgotten what is being read: ${message}`,
      details: 'try again',
    };
  }
  return { kind: 'unavailable', what: `cannot reach ${where}: ${message}`, details: adviceOn(message) };
}

/** How a server that was addressed in the wrong way goes away, and one that is being restarted. */
const HUNG_UP = /http:\/\/ and https:\/\/|ECONNRESET|disconnected before secure TLS/;

function adviceOn(message: string): string {
  return HUNG_UP.test(message)
    ? 'unless etcd was just restarted, check whether the URL must begin with http:// or https://'
    : 'check that etcd is running, and that etcd_endpoints are its client URLs';
}

function verdictOnRefusal(where: string, refusal: Refusal, { message }: CallError, asker: Asker): Verdict {
  const who = identity(asker);
  switch (refusal) {
    case 'permission':
      return {
        kind: 'denied',
        what: `${where} denied permission${who}: ${message}`,
        details:
          'give the user a role with read and write on the prefix /calico/: it needs no more than that',
      };
    case 'credentials':
      return {
        kind: 'denied',
        what: `${where} did not accept the user name or password${who}: ${message}`,
        details: 'check ETCD_USERNAME and ETCD_PASSWORD',
      };
    case 'no users':
      return {
        kind: 'denied',
        what: `${where} has no users: ${message}`,
        details: 'leave out ETCD_USERNAME and ETCD_PASSWORD, or enable authentication in etcd',
      };
    case 'user missing':
      return {
        kind: 'denied',
        what: `${where} wants a user name and password: ${message}`,
        details:
          'set ETCD_USERNAME and ETCD_PASSWORD, or etcd_cert_file to a certificate whose common name is a user of etcd',
      };
  }
}

/** As whom we asked, without any secret. */
function identity({ user, certFile }: Asker): string {
  if (user !== undefined) return ` of user ${JSON.stringify(user.name)}`;
  return certFile === undefined ? '' : ` of the user that ${certFile} names`;
}

function verdictOnTls(where: string, { what, reason }: TlsFailure, asker: Asker): Verdict {
  switch (what) {
    case 'untrusted':
      return {
        kind: 'config',
        what: `${where} has a certificate that is not trusted: ${reason} (by ${asker.caCertFile ?? 'the CAs of the system, as etcd_ca_cert_file is not set'})`,
        details: 'set etcd_ca_cert_file to the CA that signed the certificate of etcd',
      };
    case 'expired':
      return {
        kind: 'unavailable',
        what: `${where} has a certificate that has expired: ${reason}`,
        details: 'renew the certificate of etcd, and check the clock of this node',
      };
    case 'wrong name':
      return {
        kind: 'config',
        what: `${where} has a certificate for another host: ${reason}`,
        details: 'use a name or an address in etcd_endpoints that the certificate of etcd has',
      };
    case 'not TLS':
      return {
        kind: 'config',
        what: `${where} does not speak TLS: ${reason}`,
        details: 'check whether the URL must begin with http:// instead of https://',
      };
    case 'refused':
      return verdictOnOwnCertificate(where, reason, asker);
  }
}

function verdictOnOwnCertificate(
  where: string,
  reason: string,
  { certFile, certificateExpiryNs, nowNs }: Asker,
): Verdict {
  if (certFile === undefined) {
    return {
      kind: 'denied',
      what: `${where} wants a client certificate: ${reason}`,
      details: 'set etcd_cert_file and etcd_key_file',
    };
  }
  const expiryNs = certificateExpiryNs();
  if (expiryNs === undefined || expiryNs > nowNs()) {
    return {
      kind: 'denied',
      what: `${where} did not accept the client certificate ${certFile}: ${reason}`,
      details: "use a certificate of a CA that etcd's --trusted-ca-file names, and check the clock of etcd",
    };
  }
  return {
    kind: 'denied',
    what: `${where} did not accept the client certificate ${certFile}, which expired at ${formatRfc3339(expiryNs)}: ${reason}`,
    details: 'renew the certificate',
  };
}
