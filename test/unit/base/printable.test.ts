import { describe, expect, it } from 'vitest';
import { printable } from '../../../src/base/printable.ts';

describe('printable()', () => {
  it.each([
    ['["10.0.0.1"]', '["10.0.0.1"]'],
    ['Größe 😀', 'Größe 😀'],
    ['a\nb\r\0', 'a\\u{a}b\\u{d}\\u{0}'],
    ['\u001b[31mred', '\\u{1b}[31mred'],
    ['a\u2028b\u202ec', 'a\\u{2028}b\\u{202e}c'],
    ['\ud800', '\\u{d800}'],
  ])('shows %j on one line', (text, shown) => {
    expect(printable(text)).toBe(shown);
  });

  it('cuts what is too long', () => {
    expect(printable('x'.repeat(1_000_000))).toBe(`${'x'.repeat(60)}…`);
  });
});
