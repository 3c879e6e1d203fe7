import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  CANNOT_SERVICE_ADD,
  CODE_OF_KIND,
  INCOMPLETE_GC,
  LIMITED_CONNECTIVITY,
  UNKNOWN_CONTAINER,
} from '../../../src/cni/error.ts';
import { REPOSITORY } from '../../support/tools.ts';

const WITHOUT_KIND = [UNKNOWN_CONTAINER, CANNOT_SERVICE_ADD, LIMITED_CONNECTIVITY, INCOMPLETE_GC];
const CODES = [...new Set([...Object.values(CODE_OF_KIND), ...WITHOUT_KIND])].toSorted((a, b) => a - b);

const read = (path: string) => readFileSync(join(REPOSITORY, path), 'utf8');

/** Rows of the table whose first column is called `code`, as cells. */
function rowsOf(text: string): readonly (readonly string[])[] {
  const lines = text.split('\n');
  const rows = lines.slice(lines.findIndex((line) => line.startsWith('| code |')) + 2);
  const end = rows.findIndex((line) => !line.startsWith('|'));
  return rows.slice(0, end).map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

describe('the documents for operators', () => {
  it.each(['README.md', 'docs/errors.md'])('name every code, in order: %s', (path) => {
    const codes = rowsOf(read(path)).flatMap(([code = '']) => code.split(', ').map(Number));
    expect(codes).toEqual(CODES);
  });

  it('say which kinds of error have which code', () => {
    const documented = rowsOf(read('docs/errors.md')).flatMap(([code, kinds = '']) =>
      [...kinds.matchAll(/`([^`]+)`/g)].map(([, kind = '']) => [kind, Number(code)]),
    );
    expect(Object.fromEntries(documented)).toEqual(CODE_OF_KIND);
  });

  it('have something to say and something to do for each', () => {
    for (const row of rowsOf(read('docs/errors.md'))) {
      expect(row, row.join('|')).toHaveLength(4);
      expect(row[2]).toMatch(/\w/);
      expect(row[3]).toMatch(/\w/);
    }
  });
});
