import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isCalicoError } from '../../../../src/base/calico-error.ts';
import { matchesSelector } from '../../../../src/ipam/selector/evaluate.ts';
import { MAX_NESTING, parseSelector, type Selector } from '../../../../src/ipam/selector/parse.ts';

describe('parseSelector()', () => {
  it.each(['', ' \t ', 'all()', 'all( )', 'global()', '(all())'])('%j selects everything', (text) => {
    expect(parseSelector(text)).toEqual({ type: 'all' });
  });

  it.each<[string, Selector]>([
    ['rack == "a"', { type: '==', label: 'rack', value: 'a' }],
    ["rack!='a'", { type: '!=', label: 'rack', value: 'a' }],
    ['a.b/c-d_e contains "x"', { type: 'contains', label: 'a.b/c-d_e', value: 'x' }],
    ['a starts with "x"', { type: 'starts with', label: 'a', value: 'x' }],
    ['a  starts\t with"x"', { type: 'starts with', label: 'a', value: 'x' }],
    ['a endswith "x"', { type: 'ends with', label: 'a', value: 'x' }],
    ['a in {"x", \'y\'}', { type: 'in', label: 'a', values: new Set(['x', 'y']) }],
    ['a in {"x",}', { type: 'in', label: 'a', values: new Set(['x']) }],
    ['a not in {}', { type: 'not in', label: 'a', values: new Set() }],
    ['a notin{"x"}', { type: 'not in', label: 'a', values: new Set(['x']) }],
    ['has( a )', { type: 'has', label: 'a' }],
    ['!has(a)', { type: 'not', operand: { type: 'has', label: 'a' } }],
    ['!! has(a)', { type: 'has', label: 'a' }],
    ['in in {"in"}', { type: 'in', label: 'in', values: new Set(['in']) }],
    ['has == "it\'s"', { type: '==', label: 'has', value: "it's" }],
    ['a == "back\\slash"', { type: '==', label: 'a', value: 'back\\slash' }],
  ])('understands %j', (text, selector) => expect(parseSelector(text)).toEqual(selector));

  it('binds ! closer than && and && closer than ||', () => {
    const has = (label: string): Selector => ({ type: 'has', label });
    expect(parseSelector('has(a) || !has(b) && has(c)')).toEqual({
      type: 'or',
      operands: [has('a'), { type: 'and', operands: [{ type: 'not', operand: has('b') }, has('c')] }],
    });
    expect(parseSelector('(has(a)||has(b))&&has(c)')).toEqual({
      type: 'and',
      operands: [{ type: 'or', operands: [has('a'), has('b')] }, has('c')],
    });
  });

  it.each([
    ['a', 'expected an operator at position 2'],
    ['a == ', 'expected a string at position 6'],
    ['a = "b"', 'expected an operator after the label at position 3'],
    ['a == "b', 'unterminated string at position 6'],
    ['a is "b"', 'expected an operator after the label at position 3'],
    ['a inx {"b"}', 'expected an operator after the label at position 3'],
    ['a in "b"', 'expected "{" at position 6'],
    ['a in {"b" "c"}', 'expected "}" at position 11'],
    ['a in {,}', 'expected "}" at position 7'],
    ['(has(a)', 'expected ")" at position 8'],
    ['has(a))', 'expected the end at position 7'],
    ['has(a) &&', 'expected a label, a function or "(" at position 10'],
    ['&& has(a)', 'expected a label, a function or "(" at position 1'],
    ['has(a) has(b)', 'expected the end at position 8'],
    ['has(a) & has(b)', 'unexpected "&" at position 8'],
    ['has()', 'expected an operator at position 4'],
    ['a\n== "b"', 'expected an operator after the label at position 2'],
    ['"a" == "b"', 'expected a label, a function or "(" at position 1'],
    ['= "b"', 'unexpected "=" at position 1'],
    ['ä == "b"', 'unexpected "ä" at position 1'],
  ])('refuses %j and says where', (text, problem) => {
    expect(() => parseSelector(text)).toThrow(`invalid selector ${JSON.stringify(text)}: ${problem}`);
  });

  it('refuses a label longer than 512 characters', () => {
    expect(parseSelector(`has(${'x'.repeat(512)})`).type).toBe('has');
    expect(() => parseSelector(`has(${'x'.repeat(513)})`)).toThrow('label longer than 512 characters');
  });

  it('refuses to nest too deep, instead of overflowing the stack', () => {
    const nested = (depth: number) => `${'('.repeat(depth)}all()${')'.repeat(depth)}`;
    expect(parseSelector(nested(MAX_NESTING))).toEqual({ type: 'all' });
    expect(() => parseSelector(nested(MAX_NESTING + 1))).toThrow('more than 100 nested parentheses');
    expect(() => parseSelector('('.repeat(100_000))).toThrow('more than 100 nested parentheses');
    expect(parseSelector(`${'!'.repeat(100_000)}has(a)`)).toEqual({ type: 'has', label: 'a' });
  });

  it('answers any text with a selector or an error of kind config', () => {
    const words = fc.constantFrom(
      'a',
      '==',
      '"x"',
      '(',
      ')',
      '!',
      '&&',
      '||',
      'in',
      '{',
      '}',
      ',',
      'has(a)',
      ' ',
    );
    const text = fc.oneof(
      fc.string(),
      fc.array(words).map((parts) => parts.join(' ')),
    );
    fc.assert(
      fc.property(text, (selector) => {
        try {
          return typeof matchesSelector(parseSelector(selector), {}) === 'boolean';
        } catch (error) {
          return isCalicoError(error, 'config');
        }
      }),
    );
  });
});
