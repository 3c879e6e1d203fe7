import { describe, expect, it } from 'vitest';
import { statusError } from '../../../src/grpc/call-status.ts';

const ended = (trailers: Readonly<Record<string, string>>, status = '200') =>
  statusError({
    headers: new Map([[':status', status]]),
    body: Buffer.alloc(0),
    trailers: new Map(Object.entries(trailers)),
  });

describe('statusError()', () => {
  it('is nothing for a call that went well', () => {
    expect(ended({ 'grpc-status': '0', 'grpc-message': 'fine' })).toBeUndefined();
  });

  it.each([
    ['etcdserver: permission denied', 'etcdserver: permission denied'],
    ['nicht gefunden: %C3%BCber', 'nicht gefunden: über'],
    ['100%25', '100%'],
    ['broken %zz stays', 'broken %zz stays'],
    ['', 'gRPC status 7'],
  ])('decodes the message %j', (message, text) => {
    expect(ended({ 'grpc-status': '7', 'grpc-message': message })).toMatchObject({
      code: 7,
      message: text,
      wasSent: true,
    });
  });

  it.each([
    ['401', 16],
    ['403', 7],
    ['404', 12],
    ['502', 14],
    ['503', 14],
    ['504', 14],
    ['200', 2],
    ['418', 2],
  ])('makes of HTTP status %s without a gRPC status code %i', (status, code) => {
    expect(ended({}, status)).toMatchObject({ code, message: `not a gRPC answer: HTTP status ${status}` });
  });

  it('takes a status that is no number for an unknown one', () => {
    expect(ended({ 'grpc-status': 'x' })).toMatchObject({ code: 2 });
  });
});
