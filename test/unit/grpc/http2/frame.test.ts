import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  contentOf,
  createFrameReader,
  encodeFrame,
  FLAG,
  FRAME,
  type Frame,
} from '../../../../src/grpc/http2/frame.ts';

const settings = encodeFrame(FRAME.settings, 0, 0, Buffer.alloc(0));

describe('createFrameReader()', () => {
  it('gives the same frames wherever the bytes are cut', () => {
    const frame = fc.record({
      type: fc.nat(255),
      flags: fc.nat(255),
      streamId: fc.nat(0x7fffffff),
      payload: fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
    });
    fc.assert(
      fc.property(
        fc.array(frame),
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }),
        (frames, cuts) => {
          const bytes = Buffer.concat([
            settings,
            ...frames.map(({ type, flags, streamId, payload }) =>
              encodeFrame(type, flags, streamId, payload),
            ),
          ]);
          const read = createFrameReader();
          const found: Frame[] = [];
          for (let at = 0, cut = 0; at < bytes.length; cut++) {
            const length = cuts[cut % cuts.length] ?? 1;
            found.push(...read(bytes.subarray(at, at + length)));
            at += length;
          }
          expect(found.slice(1)).toEqual(frames);
        },
      ),
    );
  });

  it.each([
    ['HTTP/1', Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')],
    ['TLS', Buffer.from('15030100020246000000', 'hex')],
    ['frames that do not begin with settings', encodeFrame(FRAME.ping, 0, 0, Buffer.alloc(8))],
  ])('notices a server that speaks %s', (_what, bytes) => {
    expect(() => createFrameReader()(bytes)).toThrow('not HTTP/2, or http:// and https:// mixed up');
  });

  it('refuses a frame that is longer than we allow before it has come', () => {
    const read = createFrameReader();
    read(settings);
    expect(read(encodeFrame(FRAME.data, 0, 1, Buffer.alloc(16_384)))).toHaveLength(1);
    const tooLong = encodeFrame(FRAME.data, 0, 1, Buffer.alloc(16_385));
    expect(() => read(tooLong.subarray(0, 9))).toThrow('16385 bytes');
  });
});

describe('contentOf()', () => {
  const frame = (type: number, flags: number, hex: string): Frame => ({
    type,
    flags,
    streamId: 1,
    payload: Buffer.from(hex, 'hex'),
  });

  it.each([
    ['plain', FRAME.data, 0, '616263', 'abc'],
    ['padded', FRAME.data, FLAG.padded, '02616263ffff', 'abc'],
    ['nothing but padding', FRAME.data, FLAG.padded, '02ffff', ''],
    ['with a priority', FRAME.headers, FLAG.priority, '0000000010616263', 'abc'],
    ['padded, with a priority', FRAME.headers, FLAG.padded | FLAG.priority, '010000000010616263ff', 'abc'],
  ])('takes off what is not content: %s', (_what, type, flags, hex, content) => {
    expect(contentOf(frame(type, flags, hex)).toString()).toBe(content);
  });

  it.each(['', '01', '04616263'])('refuses more padding than there is: %s', (hex) => {
    expect(() => contentOf(frame(FRAME.data, FLAG.padded, hex))).toThrow('longer padded');
  });
});
