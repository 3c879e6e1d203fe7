/** Until when a credential is good for. */

import { isJsonObject } from '../base/json-object.ts';
import { NS_PER_SECOND } from '../base/time.ts';

/**
 * Nanoseconds since the epoch; `undefined` for a token that is no JWT (RFC 7519) or never expires. It may have `Bearer`
 * before it.
 */
export function tokenExpiryNs(token: string): bigint | undefined {
  const [, payload = ''] = token.split('.');
  try {
    const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString());
    const expiry = isJsonObject(claims) ? claims.exp : undefined;
    return typeof expiry === 'number' ? BigInt(Math.floor(expiry)) * NS_PER_SECOND : undefined;
  } catch {
    return undefined;
  }
}

/** Nanoseconds since the epoch; `undefined` for what is no certificate. Of several, that of the first: ours. */
export function certificateExpiryNs(pem: string): bigint | undefined {
  const { X509Certificate } = process.getBuiltinModule('node:crypto');
  try {
    return BigInt(Date.parse(new X509Certificate(pem).validTo)) * 1_000_000n;
  } catch {
    return undefined;
  }
}
