/** What the demo prints on: numbered headings, indented text, ticks and crosses; in colour on a terminal. */

import { styleText } from 'node:util';

export interface Page {
  /** Begins a numbered part. */
  part(title: string): void;
  /** A remark, wrapped by its author. */
  say(text: string): void;
  /** A command as a person would type it, on the host of this name. */
  command(line: string, hostName?: string): void;
  /** Output of a program, as it is. */
  show(output: string): void;
  /** A fact that was checked: a tick, or a cross that makes the demo fail in the end. */
  check(isTrue: boolean, fact: string): void;
  /** Ends the page with what came of it; gives how many checks failed. */
  end(): number;
}

/** A page on a stream; no colour unless it is a terminal. */
export function openPage(stream: NodeJS.WriteStream): Page {
  let parts = 0;
  let failures = 0;
  const paint = (format: Parameters<typeof styleText>[0], text: string) =>
    styleText(format, text, { stream });
  const write = (text: string, indent: string) => {
    if (text.trim() === '') return;
    for (const line of text.trimEnd().split('\n')) stream.write(`${indent}${line}`.trimEnd().concat('\n'));
  };
  return {
    part: (title) => {
      parts += 1;
      stream.write('\n');
      write(paint('bold', `${parts}. ${title}`), '');
    },
    say: (text) => write(text, '   '),
    command: (line, hostName = '') => write(paint('cyan', `${hostName}$ ${line}`), '   '),
    show: (output) => write(output, '     '),
    check: (isTrue, fact) => {
      if (!isTrue) failures += 1;
      write(isTrue ? `${paint('green', '✓')} ${fact}` : `${paint('red', '✗')} ${paint('red', fact)}`, '   ');
    },
    end: () => {
      stream.write('\n');
      write(
        paint('bold', failures === 0 ? 'All of it worked.' : `${failures} facts are not as they should be.`),
        '',
      );
      return failures;
    },
  };
}
