/** Header fields that HTTP/2 knows by number (RFC 7541 appendix A), from number 1 on. Pure. */

const NAMES_WITH_VALUES: readonly (readonly [name: string, ...values: string[]])[] = [
  [':authority', ''],
  [':method', 'GET', 'POST'],
  [':path', '/', '/index.html'],
  [':scheme', 'http', 'https'],
  [':status', '200', '204', '206', '304', '400', '404', '500'],
  ['accept-charset', ''],
  ['accept-encoding', 'gzip, deflate'],
];
const NAMES =
  'accept-language accept-ranges accept access-control-allow-origin age allow authorization cache-control ' +
  'content-disposition content-encoding content-language content-length content-location content-range ' +
  'content-type cookie date etag expect expires from host if-match if-modified-since if-none-match if-range ' +
  'if-unmodified-since last-modified link location max-forwards proxy-authenticate proxy-authorization range ' +
  'referer refresh retry-after server set-cookie strict-transport-security transfer-encoding user-agent vary via ' +
  'www-authenticate';

let fields: readonly (readonly [name: string, value: string])[] | undefined;

/** Name and value of field `index`, or `undefined` when there is none. */
export function staticField(index: number): readonly [name: string, value: string] | undefined {
  fields ??= [
    ...NAMES_WITH_VALUES.flatMap(([name, ...values]) => values.map((value) => [name, value] as const)),
    ...NAMES.split(' ').map((name) => [name, ''] as const),
  ];
  return fields[index - 1];
}
