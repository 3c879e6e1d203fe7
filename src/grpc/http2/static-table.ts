/** Header fields that HTTP/2 knows by number (RFC 7541 appendix A), from number 1 on. Pure. */

const NAMES = [
  ...[':authority', ':method', ':method', ':path', ':path', ':scheme', ':scheme'],
  ...[':status', ':status', ':status', ':status', ':status', ':status', ':status'],
  ...['accept-charset', 'accept-encoding', 'accept-language', 'accept-ranges', 'accept'],
  ...['access-control-allow-origin', 'age', 'allow', 'authorization', 'cache-control', 'content-disposition'],
  ...['content-encoding', 'content-language', 'content-length', 'content-location', 'content-range'],
  ...['content-type', 'cookie', 'date', 'etag', 'expect', 'expires', 'from', 'host', 'if-match'],
  ...['if-modified-since', 'if-none-match', 'if-range', 'if-unmodified-since', 'last-modified', 'link'],
  ...['location', 'max-forwards', 'proxy-authenticate', 'proxy-authorization', 'range', 'referer', 'refresh'],
  ...['retry-after', 'server', 'set-cookie', 'strict-transport-security', 'transfer-encoding', 'user-agent'],
  ...['vary', 'via', 'www-authenticate'],
] as const;

/** Fields that come with a value. */
const VALUES: Readonly<Record<number, string>> = {
  2: 'GET',
  3: 'POST',
  4: '/',
  5: '/index.html',
  6: 'http',
  7: 'https',
  8: '200',
  9: '204',
  10: '206',
  11: '304',
  12: '400',
  13: '404',
  14: '500',
  16: 'gzip, deflate',
};

/** Name and value of field `index`, or `undefined` when there is none. */
export function staticField(index: number): readonly [name: string, value: string] | undefined {
  const name = NAMES[index - 1];
  return name === undefined ? undefined : [name, VALUES[index] ?? ''];
}
