/** Times as Go writes them, in which calico/node's are given. Pure. */

import { CalicoError } from '../../base/calico-error.ts';

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** Milliseconds of `60s`, `1m30s`, `1.5h`. Throws `config`, with `variable` as where it comes from. */
export function parseGoDuration(text: string, variable: string): number {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)];
  const isWhole = parts.length > 0 && parts.map(([part]) => part).join('') === text;
  const sumMs = parts.reduce((sum, [, count, unit = '']) => sum + Number(count) * (UNITS[unit] ?? 0), 0);
  if (isWhole && sumMs > 0) return sumMs;
  throw new CalicoError(
    'config',
    `invalid ${variable} ${JSON.stringify(text)}: it must be a time, such as 60s`,
  );
}
