/** What a check found, for people. Pure. */

import { DAMAGES, type Damage, type Finding, isDamage } from '../../ipam/audit/damage.ts';
import type { CheckReport } from './report.ts';

/** So many of a kind are shown; the report has all of them. */
const MAX_SHOWN = 20;

/** By kind, in the order of {@link DAMAGES}: the key of each and what is wrong; then what has been looked at. */
export function formatFindings({ findings, counts }: Pick<CheckReport, 'findings' | 'counts'>): string {
  const byDamage = Map.groupBy(findings, ({ damage }) => damage);
  const kinds = Object.keys(DAMAGES)
    .filter(isDamage)
    .filter((damage) => byDamage.has(damage));
  const parts = kinds.map((damage) => formatKind(damage, byDamage.get(damage) ?? []));
  const looked = Object.entries(counts).map(
    ([kind, count]) => `${count} ${count === 1 ? kind : pluralOf(kind)}`,
  );
  const sum = findings.length === 0 ? 'nothing found' : `${findings.length} found`;
  return `${parts.join('')}${sum} in ${looked.join(', ')}\n`;
}

function formatKind(damage: Damage, findings: readonly Finding[]): string {
  const shown = findings.slice(0, MAX_SHOWN).map(({ key, text }) => `  ${key}\n    ${text}\n`);
  const others = findings.length - shown.length;
  const rest = others > 0 ? `  and ${others} more, which --report and --output json have\n` : '';
  return `${damage} (${findings.length}): ${DAMAGES[damage]}\n${shown.join('')}${rest}\n`;
}

/** Of a kind of record. */
export function pluralOf(kind: string): string {
  return kind === 'affinity' ? 'affinities' : `${kind}s`;
}
