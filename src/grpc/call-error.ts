/** Why a gRPC call failed, whichever client made it. Pure. */

/** gRPC's status codes, as far as they matter here (https://grpc.github.io/grpc/core/md_doc_statuscodes.html). */
export const STATUS = {
  ok: 0,
  cancelled: 1,
  unknown: 2,
  invalidArgument: 3,
  deadlineExceeded: 4,
  permissionDenied: 7,
  resourceExhausted: 8,
  failedPrecondition: 9,
  aborted: 10,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  unauthenticated: 16,
} as const;

export class CallError extends Error {
  override readonly name = 'CallError';
  /** One of {@link STATUS}, or another one that the server sent. */
  readonly code: number;
  /** `false`: the server cannot have acted on the request, so that even a write may be sent again, or elsewhere. */
  readonly wasSent: boolean;

  constructor(code: number, message: string, wasSent: boolean, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.wasSent = wasSent;
  }
}
