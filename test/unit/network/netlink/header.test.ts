import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeMessages, encodeMessage } from '../../../../src/network/netlink/header.ts';

const messages = fc.record({
  type: fc.nat(0xffff),
  flags: fc.nat(0xffff),
  sequence: fc.nat(0xffffffff),
  payload: fc.uint8Array({ maxLength: 50 }).map((bytes) => Buffer.from(bytes)),
});

describe('encodeMessage()', () => {
  it('writes length, type, flags, sequence and port, then the payload padded to four bytes', () => {
    const bytes = encodeMessage({ type: 16, flags: 5, sequence: 7, payload: Buffer.from([1, 2, 3]) });

    expect(bytes.toString('hex')).toBe('13000000' + '1000' + '0500' + '07000000' + '00000000' + '01020300');
  });
});

describe('decodeMessages()', () => {
  it('reads back every message of a datagram', () => {
    fc.assert(
      fc.property(fc.array(messages, { maxLength: 5 }), (sent) => {
        expect(decodeMessages(Buffer.concat(sent.map(encodeMessage)))).toEqual(sent);
      }),
    );
  });

  it('leaves out what is cut off, and ends on lengths that cannot be', () => {
    const whole = encodeMessage({ type: 1, flags: 0, sequence: 1, payload: Buffer.alloc(8) });

    expect(decodeMessages(Buffer.concat([whole, whole.subarray(0, 20)]))).toHaveLength(1);
    expect(decodeMessages(Buffer.alloc(64))).toEqual([]);
  });

  it('ends on any bytes', () => {
    fc.assert(fc.property(fc.uint8Array(), (bytes) => void decodeMessages(Buffer.from(bytes))));
  });
});
