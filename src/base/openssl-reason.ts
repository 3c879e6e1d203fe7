/** What OpenSSL says in the messages of Node's errors. Pure. */

/** Its words stand between a number, a function and a line of source. */
const OPENSSL_REASON = /:SSL routines:[^:]*:([^:]+):/;

/** `wrong version number`, `tlsv1 alert unknown ca`; `undefined` for what is not OpenSSL's. */
export function opensslReason(text: string): string | undefined {
  return OPENSSL_REASON.exec(text)?.[1];
}
