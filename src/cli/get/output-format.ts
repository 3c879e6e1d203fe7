/** What `-o` may say. Pure. */

import { InvalidArgumentError } from 'commander';

export type OutputFormat =
  | { readonly type: 'yaml' | 'json' }
  | { readonly type: 'table'; readonly isWide: boolean; readonly only?: readonly string[] };

/** The forms without a value, for completion. */
export const OUTPUT_FORMATS = ['ps', 'wide', 'yaml', 'json'];

/** Throws commander's error for what is none. */
export function parseOutputFormat(text: string): OutputFormat {
  if (text === 'yaml' || text === 'yml') return { type: 'yaml' };
  if (text === 'json') return { type: 'json' };
  if (text === 'ps' || text === 'wide') return { type: 'table', isWide: text === 'wide' };
  const columns = /^custom-columns=(.+)$/.exec(text)?.[1];
  if (columns !== undefined) return { type: 'table', isWide: false, only: columns.split(',') };
  throw new InvalidArgumentError(
    `It must be ${OUTPUT_FORMATS.join(', ')} or custom-columns=NAME,…: unrecognized output format '${text}'.`,
  );
}
