/** Text of others, fit for a message or a log: one line, of a bounded length. Pure. */

import { shorten } from './json-object.ts';

/** Cut where it is too long, and {@link escapeControls}. */
export function printable(text: string): string {
  return escapeControls(shorten(text));
}

/** Control and format characters written as `\u{a}`: a terminal must not do what they say. */
export function escapeControls(text: string): string {
  return text.replace(
    /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`,
  );
}
