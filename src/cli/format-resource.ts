/** Resources as text, as calicoctl prints them: YAML with sorted fields, JSON in the order of Go's types. Pure. */

import { dump } from 'js-yaml';
import { rawJson } from '../base/json-source.ts';

export function formatYaml(value: unknown): string {
  return dump(plain(value), {
    sortKeys: true,
    lineWidth: -1,
    seqNoIndent: true,
    quoteStyle: 'double',
    noRefs: true,
  });
}

/** Integers of 64 bits survive, and characters that mean something in HTML are escaped, as Go does it. */
export function formatPrettyJson(value: unknown): string {
  const text = JSON.stringify(
    value,
    (_key, member: unknown) => (typeof member === 'bigint' ? rawJson(`${member}`) : member),
    2,
  );
  return `${text.replace(/[<>&\u2028\u2029]/g, escaped)}\n`;
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** Without what YAML's writer does not know: an integer beyond 2^53 becomes text. */
function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return String(value);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  return Object.fromEntries(members.map(([name, member]) => [name, plain(member)]));
}
