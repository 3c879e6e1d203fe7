import { describe, expect, it } from 'vitest';
import { formatPlainTable } from '../../../src/cli/table.ts';

describe('formatPlainTable()', () => {
  it.each([
    [
      'pads every column, also the last one',
      ['NAME', 'CIDR'],
      [['p', '10.0.0.0/8']],
      'NAME   CIDR         \np      10.0.0.0/8   \n\n',
    ],
    ['gives a narrow column five characters', ['A', 'B'], [['', '']], 'A    B    \n          \n\n'],
    ['shows the headings of an empty list', ['NAME'], [], 'NAME   \n\n'],
    [
      'writes out what a terminal would obey',
      ['NAME'],
      [['\u001b[2J\n']],
      'NAME             \n\\u{1b}[2J\\u{a}   \n\n',
    ],
    ['counts characters, not bytes', ['NAME'], [['häß']], 'NAME   \nhäß    \n\n'],
  ])('%s', (_what, headings, rows, text) => {
    expect(formatPlainTable(headings, rows)).toBe(text);
  });
});
