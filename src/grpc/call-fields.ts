/** The header fields of a gRPC request (gRPC over HTTP/2, "Requests"). Pure. */

export type Metadata = readonly (readonly [name: string, value: string])[];

/** Which method is called, where, and as whom. */
export interface CallTarget {
  /** `http` or `https`. */
  readonly scheme: string;
  /** Host and port. */
  readonly authority: string;
  /** `/package.Service/Method`. */
  readonly path: string;
  readonly metadata: Metadata;
}

/** `timeoutMs`: when the server may give up; without it the call has no end. */
export function callFields({ scheme, authority, path, metadata }: CallTarget, timeoutMs?: number): Metadata {
  return [
    [':method', 'POST'],
    [':scheme', scheme],
    [':path', path],
    [':authority', authority],
    ['te', 'trailers'],
    ...(timeoutMs === undefined ? [] : [['grpc-timeout', `${timeoutMs}m`] as const]),
    ['content-type', 'application/grpc'],
    ['user-agent', 'calico-cni'],
    ...metadata,
  ];
}
