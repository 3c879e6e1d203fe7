import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createMessageReader, frameMessage, unframeMessage } from '../../../src/grpc/message-frame.ts';

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

describe('createMessageReader()', () => {
  it('cuts a body into its messages, in whatever pieces it comes', () => {
    const pieces = fc.array(fc.nat({ max: 30 }), { maxLength: 20 });
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 40 })), pieces, (messages, lengths) => {
        const read = createMessageReader(40);
        let body = Buffer.concat(messages.map((message) => frameMessage(Buffer.from(message))));
        const found: Buffer[] = [];
        for (const length of [...lengths, body.length]) {
          found.push(...read(body.subarray(0, length)));
          body = body.subarray(length);
        }
        found.push(...read(body));
        expect(found).toEqual(messages.map((message) => Buffer.from(message)));
      }),
    );
  });

  it('holds pieces of a large message without copying them again for each', () => {
    const read = createMessageReader(1 << 26);
    const frame = frameMessage(Buffer.alloc(1 << 25, 1));
    const startMs = performance.now();
    let count = 0;
    for (let at = 0; at < frame.length; at += 8192) count += read(frame.subarray(at, at + 8192)).length;
    expect(count).toBe(1);
    expect(performance.now() - startMs).toBeLessThan(2_000);
  });

  it.each([
    ['a compressed message', '0100000001ab', 'compressed'],
    ['a message that is longer than allowed', '0000000003ababab', 'a message of 3 bytes, more than 2'],
  ])('refuses %s', (_what, hex, message) => {
    expect(() => createMessageReader(2)(Buffer.from(hex, 'hex'))).toThrow(message);
  });
});
