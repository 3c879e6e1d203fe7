import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { frameMessage, unframeMessage } from '../../../src/grpc/message-frame.ts';

describe('unframeMessage()', () => {
  it('gives back what frameMessage() took', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect(unframeMessage(frameMessage(Buffer.from(bytes)))).toEqual(Buffer.from(bytes));
      }),
    );
  });

  it.each([
    ['nothing', '', 'without a message'],
    ['less than a length', '000000', 'without a message'],
    ['half a message', '0000000004abcd', '2 bytes of a message of 4'],
    ['two messages', '0000000001ab0000000001cd', '7 bytes of a message of 1'],
    ['a compressed message', '0100000001ab', 'compressed'],
  ])('refuses %s', (_what, hex, message) => {
    expect(() => unframeMessage(Buffer.from(hex, 'hex'))).toThrow(message);
  });
});
