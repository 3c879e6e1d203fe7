/**
 * Selector text to syntax tree.
 *
 * ```
 *   or         = and { "||" and }
 *   and        = operation { "&&" operation }
 *   operation  = { "!" } ( "(" or ")" | "all()" | "global()" | "has(" label ")" | comparison )
 *   comparison = label ( "==" | "!=" | "contains" | "starts with" | "ends with" ) string
 *              | label ( "in" | "not in" ) "{" [ string { "," string } [ "," ] ] "}"
 * ```
 * Pure.
 */

import { invalidSelector, type Token, type TokenType, tokenize } from './tokenize.ts';

/** Operators that compare a label with one string. */
export type StringOperator = '==' | '!=' | 'contains' | 'starts with' | 'ends with';
/** Operators that compare a label with several strings. */
export type SetOperator = 'in' | 'not in';

/** The syntax tree; `global()` is an `all`. */
export type Selector =
  | { readonly type: 'all' }
  | { readonly type: 'has'; readonly label: string }
  | { readonly type: StringOperator; readonly label: string; readonly value: string }
  | { readonly type: SetOperator; readonly label: string; readonly values: ReadonlySet<string> }
  | { readonly type: 'not'; readonly operand: Selector }
  | { readonly type: 'and' | 'or'; readonly operands: readonly Selector[] };

/** Deeper parentheses are refused rather than trusted to the stack. */
export const MAX_NESTING = 100;

/** A piece of the tokens that has been understood, and where the rest begins. */
interface Parsed<T> {
  readonly value: T;
  readonly next: number;
}

interface Source {
  readonly text: string;
  readonly tokens: readonly Token[];
}

/** Blank text selects everything. Throws a `config` error that quotes the text and names the position. */
export function parseSelector(text: string): Selector {
  const source: Source = { text, tokens: tokenize(text) };
  if (source.tokens.length === 1) return { type: 'all' };
  const { value, next } = parseOr(source, 0, 0);
  if (typeAt(source, next) !== 'end') throw unexpected(source, next, 'the end');
  return value;
}

function parseOr(source: Source, at: number, nesting: number): Parsed<Selector> {
  return parseOperands(source, at, 'or', '||', (next) => parseAnd(source, next, nesting));
}

function parseAnd(source: Source, at: number, nesting: number): Parsed<Selector> {
  return parseOperands(source, at, 'and', '&&', (next) => parseOperation(source, next, nesting));
}

function parseOperands(
  source: Source,
  at: number,
  type: 'and' | 'or',
  separator: TokenType,
  parseOperand: (at: number) => Parsed<Selector>,
): Parsed<Selector> {
  const first = parseOperand(at);
  const operands = [first.value];
  let next = first.next;
  while (typeAt(source, next) === separator) {
    const operand = parseOperand(next + 1);
    operands.push(operand.value);
    next = operand.next;
  }
  return { value: operands.length === 1 ? first.value : { type, operands }, next };
}

function parseOperation(source: Source, at: number, nesting: number): Parsed<Selector> {
  let next = at;
  while (typeAt(source, next) === '!') next++;
  const negated = (next - at) % 2 === 1;
  const operand = parseOperand(source, next, nesting);
  return negated ? { value: { type: 'not', operand: operand.value }, next: operand.next } : operand;
}

function parseOperand(source: Source, at: number, nesting: number): Parsed<Selector> {
  const label = valueAt(source, at);
  switch (typeAt(source, at)) {
    case 'all()':
    case 'global()':
      return { value: { type: 'all' }, next: at + 1 };
    case 'has()':
      return { value: { type: 'has', label }, next: at + 1 };
    case 'label':
      return parseComparison(source, at + 1, label);
    case '(':
      return parseParentheses(source, at + 1, nesting + 1);
    default:
      throw unexpected(source, at, 'a label, a function or "("');
  }
}

function parseParentheses(source: Source, at: number, nesting: number): Parsed<Selector> {
  if (nesting > MAX_NESTING) {
    throw invalidSelector(source.text, offsetAt(source, at), `more than ${MAX_NESTING} nested parentheses`);
  }
  const inner = parseOr(source, at, nesting);
  return { value: inner.value, next: expect(source, inner.next, ')') };
}

function parseComparison(source: Source, at: number, label: string): Parsed<Selector> {
  const type = typeAt(source, at);
  switch (type) {
    case '==':
    case '!=':
    case 'contains':
    case 'starts with':
    case 'ends with': {
      const next = expect(source, at + 1, 'string');
      return { value: { type, label, value: valueAt(source, at + 1) }, next };
    }
    case 'in':
    case 'not in': {
      const { value: values, next } = parseSet(source, expect(source, at + 1, '{'));
      return { value: { type, label, values }, next };
    }
    default:
      throw unexpected(source, at, 'an operator');
  }
}

function parseSet(source: Source, at: number): Parsed<ReadonlySet<string>> {
  const values = new Set<string>();
  let next = at;
  while (typeAt(source, next) === 'string') {
    values.add(valueAt(source, next));
    next++;
    if (typeAt(source, next) !== ',') break;
    next++;
  }
  return { value: values, next: expect(source, next, '}') };
}

function expect(source: Source, at: number, type: TokenType): number {
  if (typeAt(source, at) !== type) throw unexpected(source, at, type === 'string' ? 'a string' : `"${type}"`);
  return at + 1;
}

function typeAt(source: Source, at: number): TokenType {
  return source.tokens[at]?.type ?? 'end';
}

function valueAt(source: Source, at: number): string {
  return source.tokens[at]?.value ?? '';
}

function offsetAt(source: Source, at: number): number {
  return source.tokens[at]?.at ?? source.text.length;
}

function unexpected(source: Source, at: number, expected: string): Error {
  return invalidSelector(source.text, offsetAt(source, at), `expected ${expected}`);
}
