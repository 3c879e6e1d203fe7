/**
 * The words of a selector: `rack in {"a", 'b'} && !has(gpu)`. Only space and tab separate; strings have no
 * escapes; a label is `[A-Za-z0-9_./-]{1,512}`. Pure.
 */

import { CalicoError } from '../../base/calico-error.ts';

export type TokenType =
  | '('
  | ')'
  | '{'
  | '}'
  | ','
  | '=='
  | '!='
  | '!'
  | '&&'
  | '||'
  | 'contains'
  | 'starts with'
  | 'ends with'
  | 'in'
  | 'not in'
  | 'all()'
  | 'global()'
  | 'has()'
  | 'label'
  | 'string'
  | 'end';

export interface Token {
  readonly type: TokenType;
  /** The label, or the string without its quotes; empty for other types. */
  readonly value: string;
  /** Offset in the selector, from 0. */
  readonly at: number;
}

const MAX_LABEL_LENGTH = 512;

const BLANKS = /[ \t]*/y;
const SYMBOL = /==|!=|&&|\|\||[(){},!]/y;
const STRING = /"([^"]*)"|'([^']*)'/y;
const CALL = /(?:(all|global)\([ \t]*|has\([ \t]*([\w./-]+)[ \t]*)\)/y;
const OPERATOR = /(contains|starts[ \t]*with|ends[ \t]*with|not[ \t]*in|in)(?![\w./-])/y;
const LABEL = /[\w./-]+/y;

/** All tokens, ending with one of type `end`. Throws a `config` error that names the position. */
export function tokenize(text: string): readonly Token[] {
  const tokens: Token[] = [];
  let afterLabel = false;
  for (let at = skipBlanks(text, 0); at < text.length; ) {
    const { token, end } = nextToken(text, at, afterLabel);
    tokens.push(token);
    afterLabel = token.type === 'label';
    at = skipBlanks(text, end);
  }
  return [...tokens, { type: 'end', value: '', at: text.length }];
}

/** The error for a selector that cannot be understood; positions count from 1 in messages. */
export function invalidSelector(text: string, at: number, problem: string): CalicoError {
  return new CalicoError('config', `invalid selector ${JSON.stringify(text)}: ${problem} at position ${at + 1}`);
}

function skipBlanks(text: string, at: number): number {
  return at + (match(BLANKS, text, at)?.[0].length ?? 0);
}

/** A word right after a label is an operator, anywhere else it is a label: `in in {"x"}` is well formed. */
function nextToken(text: string, at: number, afterLabel: boolean): { token: Token; end: number } {
  const symbol = match(SYMBOL, text, at);
  if (symbol !== null) return found(symbol, at, symbol[0]);
  const string = match(STRING, text, at);
  if (string !== null) return found(string, at, 'string', string[1] ?? string[2]);
  if (text[at] === '"' || text[at] === "'") throw invalidSelector(text, at, 'unterminated string');
  return afterLabel ? nextOperator(text, at) : nextOperand(text, at);
}

function nextOperator(text: string, at: number): { token: Token; end: number } {
  const operator = match(OPERATOR, text, at);
  if (operator === null) throw invalidSelector(text, at, 'expected an operator after the label');
  return found(operator, at, operator[0].replace(/^(starts|ends|not)[ \t]*/, '$1 '));
}

function nextOperand(text: string, at: number): { token: Token; end: number } {
  const call = match(CALL, text, at);
  if (call !== null) return found(call, at, call[1] === undefined ? 'has()' : `${call[1]}()`, checked(call[2]));
  const label = match(LABEL, text, at);
  if (label !== null) return found(label, at, 'label', checked(label[0]));
  throw invalidSelector(text, at, `unexpected ${JSON.stringify(text[at])}`);

  function checked(name: string | undefined): string | undefined {
    if (name === undefined || name.length <= MAX_LABEL_LENGTH) return name;
    throw invalidSelector(text, at, `label longer than ${MAX_LABEL_LENGTH} characters`);
  }
}

function found(matched: RegExpExecArray, at: number, type: string, value = ''): { token: Token; end: number } {
  return { token: { type: type as TokenType, value, at }, end: at + matched[0].length };
}

function match(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}
