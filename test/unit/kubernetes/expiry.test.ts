import { describe, expect, it } from 'vitest';
import { certificateExpiryNs } from '../../../src/base/certificate-expiry.ts';
import { tokenExpiryNs } from '../../../src/kubernetes/expiry.ts';

const jwt = (payload: string) => `e30.${Buffer.from(payload).toString('base64url')}.c2ln`;

describe('tokenExpiryNs()', () => {
  it.each([
    [jwt('{"exp":1700000000}'), 1_700_000_000_000_000_000n],
    [`Bearer ${jwt('{"exp":1700000000.9}')}`, 1_700_000_000_000_000_000n],
    [jwt('{"exp":"1700000000"}'), undefined],
    [jwt('{"exp":1e999}'), undefined],
    [jwt('{"exp":-9007199254740992}'), undefined],
    [jwt('{}'), undefined],
    [jwt('null'), undefined],
    [jwt('{'), undefined],
    ['opaque', undefined],
    ['', undefined],
    ['Basic YTpi', undefined],
  ])('of %s is %s', (token, expected) => {
    expect(tokenExpiryNs(token)).toBe(expected);
  });
});

describe('certificateExpiryNs()', () => {
  it('of what is no certificate is unknown', () => {
    expect(
      certificateExpiryNs('-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----'),
    ).toBeUndefined();
  });
});
