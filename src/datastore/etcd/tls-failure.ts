/** Why there is no TLS connection, as far as Node.js, OpenSSL or the server say so. Pure. */

import { errorText } from '../../base/calico-error.ts';
import { opensslReason } from '../../base/openssl-reason.ts';

export interface TlsFailure {
  /**
   * - `untrusted`, `expired`, `wrong name`: the server's certificate
   * - `refused`: the server did not accept ours, or wants one
   * - `not TLS`: it speaks something else
   */
  readonly what: 'untrusted' | 'expired' | 'wrong name' | 'refused' | 'not TLS';
  /** In the words of whoever noticed. */
  readonly reason: string;
}

/** OpenSSL's reasons not to trust a certificate (X509_V_ERR_…). */
const UNTRUSTED = /^(?:UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|CERT_|INVALID_|ERROR_IN_CERT_|PATH_LENGTH_)/;
const NOT_TLS = /^(?:wrong version number|packet length too long|http request)$/;
/** An alert is what the server said. TLS 1.2 has none of its own for a certificate that is missing. */
const REFUSED = /alert .*(?:certificate|unknown ca|access denied|handshake failure)/;

const MAX_CAUSES = 8;

/** `undefined` when it failed for another reason. Looks at the causes of the error, too. */
export function tlsFailureOf(error: unknown): TlsFailure | undefined {
  let current = error;
  for (let depth = 0; depth < MAX_CAUSES && current instanceof Error; depth++) {
    const found = classify('code' in current ? String(current.code) : '', errorText(current));
    if (found !== undefined) return found;
    current = current.cause;
  }
  return undefined;
}

function classify(code: string, text: string): TlsFailure | undefined {
  if (code === 'CERT_HAS_EXPIRED') return { what: 'expired', reason: text };
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return { what: 'wrong name', reason: text };
  if (UNTRUSTED.test(code)) return { what: 'untrusted', reason: text };
  const reason = opensslReason(text) ?? '';
  if (NOT_TLS.test(reason)) return { what: 'not TLS', reason };
  return REFUSED.test(reason) ? { what: 'refused', reason } : undefined;
}
