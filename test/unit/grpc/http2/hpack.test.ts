import { describe, expect, it } from 'vitest';
import { decodeHeaders, encodeHeaders } from '../../../../src/grpc/http2/hpack.ts';
import { staticField } from '../../../../src/grpc/http2/static-table.ts';

const decoded = (hex: string) => [...decodeHeaders(Buffer.from(hex.replaceAll(' ', ''), 'hex'))];

describe('decodeHeaders()', () => {
  it.each([
    ['a field by its number (RFC 7541 C.2.4)', '82', [[':method', 'GET']]],
    [
      'a literal to be numbered, which we do not (C.2.1)',
      '400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572',
      [['custom-key', 'custom-header']],
    ],
    [
      'a literal with a known name (C.2.2)',
      '040c 2f73 616d 706c 652f 7061 7468',
      [[':path', '/sample/path']],
    ],
    [
      'a literal never to be numbered (C.2.3)',
      '1008 7061 7373 776f 7264 0673 6563 7265 74',
      [['password', 'secret']],
    ],
    [
      'a request in Huffman code (C.4.1)',
      '8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff',
      [
        [':method', 'GET'],
        [':scheme', 'http'],
        [':path', '/'],
        [':authority', 'www.example.com'],
      ],
    ],
    [
      'a response in Huffman code (C.6.1)',
      '4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3',
      [
        [':status', '302'],
        ['cache-control', 'private'],
        ['date', 'Mon, 21 Oct 2013 20:13:21 GMT'],
        ['location', 'https://www.example.com'],
      ],
    ],
    ['a table of no size', '20 88', [[':status', '200']]],
    ['an empty block', '', []],
    ['the last of two values', '0001 6101 62 0001 6101 63', [['a', 'c']]],
  ])('reads %s', (_what, hex, fields) => {
    expect(decoded(hex)).toEqual(fields);
  });

  it.each([
    ['a field number that only a table of ours could have', 'be', 'number 62'],
    ['field number 0', '80', 'number 0'],
    ['a table larger than none', '3fe11f', 'larger than allowed'],
    ['a number that does not end', 'ffffffffffff7f', 'too large'],
    ['a text cut short', '00056162', 'too early'],
    ['a field cut short', '0001', 'too early'],
    ['a Huffman text that ends within a code', '0001618101', 'in the middle'],
    ['a Huffman text with a byte of filling too much', '00016182 1fff', 'in the middle'],
    ['the code that stands for the end', '00016184 ffffffff', 'not Huffman coded'],
  ])('refuses %s', (_what, hex, message) => {
    expect(() => decoded(hex)).toThrow(message);
  });
});

describe('encodeHeaders()', () => {
  it.each([0, 1, 126, 127, 128, 254, 255, 256, 16_384, 100_000])(
    'keeps a value of %i characters',
    (length) => {
      const fields = [
        ['token', 'x'.repeat(length)],
        ['te', 'trailers'],
      ] as const;
      expect([...decodeHeaders(encodeHeaders(fields))]).toEqual(fields);
    },
  );

  it('lets nobody on the way keep a token', () => {
    expect(encodeHeaders([['token', 'secret']])[0]).toBe(0x10);
  });
});

describe('staticField()', () => {
  it.each([
    [1, [':authority', '']],
    [2, [':method', 'GET']],
    [7, [':scheme', 'https']],
    [14, [':status', '500']],
    [15, ['accept-charset', '']],
    [16, ['accept-encoding', 'gzip, deflate']],
    [31, ['content-type', '']],
    [54, ['server', '']],
    [61, ['www-authenticate', '']],
    [62, undefined],
    [0, undefined],
  ])('knows field %i', (index, field) => {
    expect(staticField(index)).toEqual(field);
  });
});
