import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { matchesSelector } from '../../../../src/ipam/selector/evaluate.ts';
import { parseSelector } from '../../../../src/ipam/selector/parse.ts';

const LABELS = { rack: 'a1', empty: '', zone: 'eu-west' };

function matches(text: string, labels: Readonly<Record<string, string>> = LABELS): boolean {
  return matchesSelector(parseSelector(text), labels);
}

describe('matchesSelector()', () => {
  it.each([
    ['rack == "a1"', true],
    ['rack == "a"', false],
    ['rack != "a1"', false],
    ['rack != "b"', true],
    ['rack in {"b", "a1"}', true],
    ['rack in {}', false],
    ['rack not in {"b"}', true],
    ['rack not in {"a1"}', false],
    ['zone contains "-w"', true],
    ['zone starts with "eu"', true],
    ['zone ends with "eu"', false],
    ['zone ends with "west"', true],
    ['has(empty)', true],
    ['empty == ""', true],
    ['all()', true],
    ['!all()', false],
    ['has(rack) && zone == "x" || rack == "a1"', true],
    ['has(rack) && (zone == "x" || rack == "b")', false],
  ])('%s is %s', (selector, expected) => expect(matches(selector)).toBe(expected));

  it.each([
    ['has(gpu)', false],
    ['gpu == ""', false],
    ['gpu == "x"', false],
    ['gpu contains ""', false],
    ['gpu starts with ""', false],
    ['gpu ends with ""', false],
    ['gpu in {"x"}', false],
    ['gpu != "x"', true],
    ['gpu not in {"x"}', true],
    ['has(constructor)', false],
    ['toString != "x"', true],
  ])('of an absent label, %s is %s', (selector, expected) => expect(matches(selector)).toBe(expected));

  it('makes not in the opposite of in, and != of ==, for any value', () => {
    fc.assert(
      fc.property(fc.constantFrom('a1', 'b', ''), fc.constantFrom('rack', 'empty', 'gpu'), (value, label) => {
        expect(matches(`${label} != "${value}"`)).toBe(!matches(`${label} == "${value}"`));
        expect(matches(`${label} not in {"${value}"}`)).toBe(!matches(`${label} in {"${value}"}`));
      }),
    );
  });
});
