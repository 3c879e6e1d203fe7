import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { DAMAGES } from '../../../../src/ipam/audit/damage.ts';

it('docs/ipam.md says what each finding means, and speaks of no other', () => {
  const text = readFileSync(join(import.meta.dirname, '../../../../docs/ipam.md'), 'utf8');
  const rows = text.split('\n').filter((line) => line.startsWith('| `'));
  const named = rows.flatMap((row) =>
    [...(row.split('|')[1] ?? '').matchAll(/`([^`]+)`/g)].map(([, name]) => name),
  );
  expect(named.toSorted()).toEqual(Object.keys(DAMAGES).toSorted());
});
