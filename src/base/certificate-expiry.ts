/** Until when a certificate is good for. */

/** Nanoseconds since the epoch; `undefined` for what is no certificate. Of several, that of the first: ours. */
export function certificateExpiryNs(pem: string | Buffer): bigint | undefined {
  const { X509Certificate } = process.getBuiltinModule('node:crypto');
  try {
    return BigInt(Date.parse(new X509Certificate(pem).validTo)) * 1_000_000n;
  } catch {
    return undefined;
  }
}
