/**
 * The words of a selector: `rack in {"a", 'b'} && !has(gpu)`. Only space and tab separate; strings have no
 * escapes; a label is `[A-Za-z0-9_./-]{1,512}`. Pure.
 */

import { CalicoError } from '../../base/calico-error.ts';

/** Symbols, operators, operands, and the end of the text. */
export type TokenType =
  | ('(' | ')' | '{' | '}' | ',' | '==' | '!=' | '!' | '&&' | '||')
  | ('contains' | 'starts with' | 'ends with' | 'in' | 'not in')
  | ('all()' | 'global()' | 'has()' | 'label' | 'string' | 'end');

/** One word of a selector. */
export interface Token {
  readonly type: TokenType;
  /** The label, or the string without its quotes; empty for other types. */
  readonly value: string;
  /** Offset in the selector, from 0. */
  readonly at: number;
}

/** A token type and its text; the capture group, if there is one, is the value. */
interface Rule {
  readonly type: TokenType;
  readonly pattern: RegExp;
}

const ANYWHERE: readonly Rule[] = [
  { type: '(', pattern: /\(/y },
  { type: ')', pattern: /\)/y },
  { type: '{', pattern: /\{/y },
  { type: '}', pattern: /\}/y },
  { type: ',', pattern: /,/y },
  { type: '==', pattern: /==/y },
  { type: '!=', pattern: /!=/y },
  { type: '!', pattern: /!/y },
  { type: '&&', pattern: /&&/y },
  { type: '||', pattern: /\|\|/y },
  { type: 'string', pattern: /"([^"]*)"/y },
  { type: 'string', pattern: /'([^']*)'/y },
];
/** A word right after a label is an operator, anywhere else it is a label: `in in {"x"}` is well formed. */
const AFTER_LABEL: readonly Rule[] = [
  { type: 'contains', pattern: /contains(?![\w./-])/y },
  { type: 'starts with', pattern: /starts[ \t]*with(?![\w./-])/y },
  { type: 'ends with', pattern: /ends[ \t]*with(?![\w./-])/y },
  { type: 'not in', pattern: /not[ \t]*in(?![\w./-])/y },
  { type: 'in', pattern: /in(?![\w./-])/y },
];
const ELSEWHERE: readonly Rule[] = [
  { type: 'has()', pattern: /has\([ \t]*([\w./-]+)[ \t]*\)/y },
  { type: 'all()', pattern: /all\([ \t]*\)/y },
  { type: 'global()', pattern: /global\([ \t]*\)/y },
  { type: 'label', pattern: /([\w./-]+)/y },
];

const BLANKS = /[ \t]*/y;
const MAX_LABEL_LENGTH = 512;

/** All tokens, the last of type `end`. Throws a `config` error that names the position. */
export function tokenize(text: string): readonly Token[] {
  const tokens: Token[] = [];
  let at = skipBlanks(text, 0);
  while (at < text.length) {
    const { token, length } = nextToken(text, at, tokens.at(-1)?.type === 'label');
    tokens.push(token);
    at = skipBlanks(text, at + length);
  }
  return [...tokens, { type: 'end', value: '', at }];
}

/** The error for a selector that cannot be understood; positions count from 1 in messages. */
export function invalidSelector(text: string, at: number, problem: string): CalicoError {
  return new CalicoError(
    'config',
    `invalid selector ${JSON.stringify(text)}: ${problem} at position ${at + 1}`,
  );
}

function nextToken(text: string, at: number, afterLabel: boolean): { token: Token; length: number } {
  for (const { type, pattern } of [...ANYWHERE, ...(afterLabel ? AFTER_LABEL : ELSEWHERE)]) {
    const found = matchAt(pattern, text, at);
    if (found === null) continue;
    const value = found[1] ?? '';
    if (type !== 'string' && value.length > MAX_LABEL_LENGTH) {
      throw invalidSelector(text, at, `label longer than ${MAX_LABEL_LENGTH} characters`);
    }
    return { token: { type, value, at }, length: found[0].length };
  }
  throw invalidSelector(text, at, problemAt(text, at, afterLabel));
}

function problemAt(text: string, at: number, afterLabel: boolean): string {
  if (text[at] === '"' || text[at] === "'") return 'unterminated string';
  return afterLabel ? 'expected an operator after the label' : `unexpected ${JSON.stringify(text[at])}`;
}

function skipBlanks(text: string, at: number): number {
  return at + (matchAt(BLANKS, text, at)?.[0].length ?? 0);
}

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}
