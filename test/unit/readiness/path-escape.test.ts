import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { escapePathSegment } from '../../../src/readiness/path-escape.ts';

describe('escapePathSegment()', () => {
  it.each([
    ['', ''],
    ['azAZ09-_.~', 'azAZ09-_.~'],
    ['$&+:=@', '$&+:=@'],
    ['/;,?', '%2F%3B%2C%3F'],
    ["!'()*", '%21%27%28%29%2A'],
    [' "#%<>[\\]^`{|}\t\n\u007f', '%20%22%23%25%3C%3E%5B%5C%5D%5E%60%7B%7C%7D%09%0A%7F'],
    ['%2F%24', '%252F%2524'],
    ['ä€😀', '%C3%A4%E2%82%AC%F0%9F%98%80'],
    ['\ud800', '%EF%BF%BD'],
    ['default/t est pod1', 'default%2Ft%20est%20pod1'],
  ])('of %j is %s, as Go has it', (text, escaped) => {
    expect(escapePathSegment(text)).toBe(escaped);
  });

  it('has no space and no slash, and can be read back', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 20 }), (text) => {
        expect(escapePathSegment(text)).not.toMatch(/[ /]/);
        expect(decodeURIComponent(escapePathSegment(text))).toBe(text);
      }),
    );
  });
});
