/** Until when a token is good for. */

import { isJsonObject } from '../base/json-object.ts';
import { NS_PER_SECOND } from '../base/time.ts';

/** Farther from 1970 there are no dates (ECMAScript's time values). */
const MAX_SECONDS = 8.64e12;

/**
 * Nanoseconds since the epoch; `undefined` for a token that is no JWT (RFC 7519) or never expires. It may have `Bearer`
 * before it.
 */
export function tokenExpiryNs(token: string): bigint | undefined {
  const [, payload = ''] = token.split('.');
  try {
    const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString());
    const expiry = isJsonObject(claims) ? claims.exp : undefined;
    return isTime(expiry) ? BigInt(Math.floor(expiry)) * NS_PER_SECOND : undefined;
  } catch {
    return undefined;
  }
}

function isTime(seconds: unknown): seconds is number {
  return typeof seconds === 'number' && Math.abs(seconds) <= MAX_SECONDS;
}
