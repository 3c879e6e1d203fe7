/** Parts of help texts that commands share. Pure. */

/** `examples`: what for, and the command line. */
export function examplesText(examples: readonly (readonly [what: string, line: string])[]): string {
  return `\nExamples:\n${examples.map(([what, line]) => `  # ${what}\n  ${line}\n`).join('\n')}`;
}

export const EXIT_STATUS = `
Exit status:
  0  it is done, and nothing was found wrong
  1  it failed, or it found something wrong: stderr says what, and what to do
  2  the command line is wrong: nothing was done`;
