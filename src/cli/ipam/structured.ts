/** The same data for programs. */

import { dump } from 'js-yaml';
import { CalicoError } from '../../base/calico-error.ts';

export const FORMATS = ['table', 'json', 'yaml'] as const;
export type Format = (typeof FORMATS)[number];

/** Throws `config` for any other word. */
export function readFormat(text: string): Format {
  const format = FORMATS.find((known) => known === text);
  if (format !== undefined) return format;
  throw new CalicoError(
    'config',
    `invalid --output ${JSON.stringify(text)}: it must be ${FORMATS.join(', ')}`,
  );
}

/** Numbers beyond 2^53 become text: JSON has none such that everybody can read. */
export function formatStructured(value: unknown, format: 'json' | 'yaml'): string {
  const text = JSON.stringify(
    value,
    (_name, member) => (typeof member === 'bigint' ? plain(member) : member),
    2,
  );
  return format === 'json' ? `${text}\n` : dump(JSON.parse(text));
}

function plain(number: bigint): number | string {
  return number <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(number) : number.toString();
}
