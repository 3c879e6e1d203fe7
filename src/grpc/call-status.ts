/** How a gRPC call ended, from the headers of its answer. Pure. */

import { CallError, STATUS } from './call-error.ts';
import type { Response } from './http2/stream.ts';

/** Statuses of HTTP, which a proxy may give where gRPC has none, as gRPC's. */
const OF_HTTP: Readonly<Record<string, number>> = {
  '401': STATUS.unauthenticated,
  '403': STATUS.permissionDenied,
  '404': STATUS.unimplemented,
  '429': STATUS.unavailable,
  '502': STATUS.unavailable,
  '503': STATUS.unavailable,
  '504': STATUS.unavailable,
};

/** `undefined` for a call that went well. */
export function statusError({ headers, trailers }: Response): CallError | undefined {
  const code = trailers.get('grpc-status');
  if (code === undefined) {
    const status = headers.get(':status') ?? 'none';
    return new CallError(OF_HTTP[status] ?? STATUS.unknown, `not a gRPC answer: HTTP status ${status}`, true);
  }
  if (code === '0') return undefined;
  const text = decodePercent(trailers.get('grpc-message') ?? '');
  return new CallError(
    /^\d+$/.test(code) ? Number(code) : STATUS.unknown,
    text || `gRPC status ${code}`,
    true,
  );
}

/** The message is UTF-8, all but plain characters percent-encoded; what is not well-formed stays as it is. */
function decodePercent(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
