/** Why the API could not be asked, or refused: who, what, as whom, until when, and what to do. */

import { CalicoError, type ErrorKind } from '../base/calico-error.ts';
import { certificateExpiryNs } from '../base/certificate-expiry.ts';
import { shorten } from '../base/json-object.ts';
import { formatRfc3339 } from '../base/time.ts';
import type { ConnectionSettings } from './connection-settings.ts';
import { decodeStatus } from './decode-objects.ts';
import { tokenExpiryNs } from './expiry.ts';
import type { HttpAnswer, HttpFailure } from './http-session.ts';

/** What was asked, of whom, when. */
export interface Question {
  /** `pod default/web-1`. */
  readonly object: string;
  readonly settings: ConnectionSettings;
  readonly nowNs: bigint;
}

interface Verdict {
  readonly kind: ErrorKind;
  readonly what: string;
  /** What to do. */
  readonly details?: string;
}

/** How every message about a question begins. */
export function asking(object: string, { server }: ConnectionSettings): string {
  return `error getting ${object} from ${server.text}`;
}

function failure(
  { object, settings }: Question,
  { kind, what, details }: Verdict,
  cause?: unknown,
): CalicoError {
  return new CalicoError(kind, `${asking(object, settings)}: ${what}`, {
    ...(details && { details }),
    cause,
  });
}

/** The error for an answer that is not 200. */
export function refusalError(question: Question, answer: HttpAnswer): CalicoError {
  return failure(question, verdictOnAnswer(question, answer));
}

function verdictOnAnswer(question: Question, { status, headers, body }: HttpAnswer): Verdict {
  const text = body.toString();
  const said = decodeStatus(text);
  const message = said?.message || shorten(text.trim().replace(/\s+/g, ' ')) || 'no reason given';
  switch (status) {
    case 401:
      return unauthorized(question, said?.message || 'Unauthorized');
    case 403:
      return forbidden(question, message);
    case 404:
      if (said?.reason === 'NotFound') return { kind: 'not-found', what: message };
      return { kind: 'config', what: `HTTP status 404: ${message}`, details: WRONG_SERVER };
    case 429:
    case 503:
      return { kind: 'unavailable', what: `${busy(status, headers['retry-after'])}: ${message}` };
    default:
      if (status >= 500) return { kind: 'unavailable', what: `HTTP status ${status}: ${message}` };
      return { kind: 'config', what: `HTTP status ${status}: ${message}`, details: WRONG_SERVER };
  }
}

const WRONG_SERVER =
  'check the server of the kubeconfig, or kubernetes.k8s_api_root: is it a Kubernetes API server?';

function busy(status: number, retryAfter: string | undefined): string {
  return `HTTP status ${status}${retryAfter === undefined ? '' : `, retry after ${retryAfter}`}`;
}

/** The first words are those that Calico's users look for. */
function unauthorized(question: Question, message: string): Verdict {
  const expired = expiredCredentials(question);
  const told = `connection is unauthorized: ${message} (${identity(question)})`;
  if (expired.length === 0) return { kind: 'denied', what: told, details: NOT_ACCEPTED };
  return { kind: 'denied', what: `${told}: ${expired.join(', ')}`, details: RENEW };
}

const NOT_ACCEPTED =
  'the API server does not know these credentials: they are of another cluster, were revoked, or are incomplete';
const RENEW =
  'renew it; calico-node does so for its own kubeconfig: check that it is running on this node, and that clocks are right';

function forbidden(question: Question, message: string): Verdict {
  return {
    kind: 'denied',
    what: `connection is unauthorized: ${message} (${identity(question)})`,
    details: 'the account of the CNI plugin needs a ClusterRole with "get" on pods, namespaces and nodes',
  };
}

/** As whom we asked, without any secret. */
function identity({ settings: { certificate, authorization } }: Question): string {
  const from = [authorization?.from, certificate?.certificate.from].filter((each) => each !== undefined);
  return from.length === 0 ? 'no credentials are configured' : `with ${from.join(' and ')}`;
}

function expiredCredentials({
  settings: { certificate, authorization },
  nowNs,
}: Question): readonly string[] {
  const expiries = [
    ['the token', authorization && tokenExpiryNs(authorization.text.reveal())],
    ['the client certificate', certificate && certificateExpiryNs(certificate.certificate.text.reveal())],
  ] as const;
  return expiries.flatMap(([what, expiryNs]) =>
    expiryNs !== undefined && expiryNs <= nowNs ? [`${what} expired at ${formatRfc3339(expiryNs)}`] : [],
  );
}

/** The error for no answer. */
export function connectionError(question: Question, error: HttpFailure): CalicoError {
  return failure(question, verdictOnFailure(question, error), error);
}

function verdictOnFailure(question: Question, error: HttpFailure): Verdict {
  const { code, message } = error;
  if (code === 'TLS') return verdictOnTls(question, message);
  if (code === 'CERT_HAS_EXPIRED') return serverExpired(error);
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return { kind: 'config', what: message, details: WRONG_NAME };
  if (UNTRUSTED.test(code)) return untrusted(question, message);
  if (code.startsWith('HPE_'))
    return { kind: 'corrupt', what: `it does not speak HTTP (${message})`, details: WRONG_SERVER };
  if (code === 'TOO_LARGE') return { kind: 'corrupt', what: message, details: WRONG_SERVER };
  // Some servers answer a certificate that they do not accept by going away.
  const expired = code === 'ECONNRESET' ? expiredCredentials(question) : [];
  return { kind: 'unavailable', what: [message, ...expired].join(': ') };
}

/** OpenSSL's reasons not to trust a certificate (X509_V_ERR_…). */
const UNTRUSTED = /^(?:UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|CERT_|INVALID_|ERROR_IN_CERT_|PATH_LENGTH_)/;

/** `reason`: OpenSSL's words; an alert is what the server said. */
function verdictOnTls(question: Question, reason: string): Verdict {
  if (NOT_TLS.test(reason))
    return { kind: 'config', what: 'the server does not speak TLS', details: WRONG_SCHEME };
  if (REFUSED_CERTIFICATE.test(reason)) return certificateRefused(question, reason);
  return { kind: 'unavailable', what: `no TLS connection: ${reason}` };
}

const NOT_TLS = /^(?:wrong version number|packet length too long|http request)$/;
/** TLS 1.2 has no alert of its own for a certificate that is missing. */
const REFUSED_CERTIFICATE = /alert .*(?:certificate|unknown ca|access denied|handshake failure)/;
const WRONG_SCHEME = 'check whether the URL of the server must begin with http:// instead of https://';
const WRONG_NAME =
  'set the server to a name or address of its certificate, or tls-server-name in the kubeconfig';

function serverExpired({ serverCertificateEnd }: HttpFailure): Verdict {
  const endMs = Date.parse(serverCertificateEnd ?? '');
  const at = Number.isNaN(endMs) ? '' : ` at ${formatRfc3339(BigInt(endMs) * 1_000_000n)}`;
  return {
    kind: 'unavailable',
    what: `the certificate of the server expired${at}`,
    details: 'renew the certificate of the API server, and check the clock of this node',
  };
}

function untrusted({ settings: { certificateAuthority } }: Question, message: string): Verdict {
  const trusted = certificateAuthority?.from ?? 'the CAs of the system, as no other is configured';
  return {
    kind: 'config',
    what: `the certificate of the server is not trusted: ${message} (by ${trusted})`,
    details:
      'set certificate-authority in the kubeconfig to the CA that signed the certificate of the API server',
  };
}

function certificateRefused(question: Question, message: string): Verdict {
  const expired = expiredCredentials(question);
  const told = `the server refused the connection: ${message} (${identity(question)})`;
  return {
    kind: 'denied',
    what: [told, ...expired].join(': '),
    details: expired.length > 0 ? RENEW : NOT_ACCEPTED,
  };
}
