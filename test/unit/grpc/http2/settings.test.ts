import { describe, expect, it } from 'vitest';
import { DEFAULT_PEER, ownSettings, withSettings } from '../../../../src/grpc/http2/settings.ts';

const entry = (setting: number, value: number): Buffer => {
  const bytes = Buffer.alloc(6);
  bytes.writeUInt16BE(setting);
  bytes.writeUInt32BE(value, 2);
  return bytes;
};

describe('withSettings()', () => {
  it('takes over what concerns a sender, the last value of each, and passes over the rest', () => {
    const payload = Buffer.concat([
      entry(4, 1),
      entry(3, 250),
      entry(5, 20_000),
      entry(4, 1_000_000),
      entry(99, 7),
    ]);
    expect(withSettings(DEFAULT_PEER, payload)).toEqual({ initialWindow: 1_000_000, maxPayload: 20_000 });
  });

  it('keeps what is not mentioned', () => {
    expect(withSettings({ initialWindow: 5, maxPayload: 20_000 }, Buffer.alloc(0))).toEqual({
      initialWindow: 5,
      maxPayload: 20_000,
    });
  });

  it.each([
    ['half an entry', Buffer.alloc(7)],
    ['a window of more than 31 bits', entry(4, 2 ** 31)],
    ['frames shorter than HTTP/2 allows', entry(5, 16_383)],
  ])('refuses %s', (_what, payload) => {
    expect(() => withSettings(DEFAULT_PEER, payload)).toThrow(RangeError);
  });
});

describe('ownSettings()', () => {
  it('allows no header table, no push, and streams of any length', () => {
    expect(ownSettings()).toEqual(Buffer.concat([entry(1, 0), entry(2, 0), entry(4, 2 ** 31 - 1)]));
  });
});
