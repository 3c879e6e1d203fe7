import { existsSync, globSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { REPOSITORY } from '../support/tools.ts';
import { EMPTY_NAMES, FOREIGN_DOCUMENTS, MAX_LINES } from './rules.ts';
import { sourceFiles } from './source-files.ts';

const files = sourceFiles();

/** Documents that a file speaks of and the repository does not have. */
function missingDocuments(path: string, text: string): readonly string[] {
  return [...text.matchAll(/(?<![\w/.-])[\w./-]*\w\.md\b/g)]
    .map(([name]) => name)
    .filter((name) => !FOREIGN_DOCUMENTS.includes(name))
    .filter(
      (name) => ![REPOSITORY, join(REPOSITORY, dirname(path))].some((from) => existsSync(join(from, name))),
    )
    .map((name) => `${path} speaks of ${name}`);
}

describe('files of src', () => {
  it('are named for what they hold', () => {
    const empty = files.filter(({ path }) => EMPTY_NAMES.pattern.test(basename(path)));
    expect(empty.map(({ path }) => `${path}: ${EMPTY_NAMES.because}`)).toEqual([]);
  });

  it('hold one idea', () => {
    const long = files.filter(({ text }) => text.split('\n').length > MAX_LINES.count);
    expect(long.map(({ path }) => `${path}: ${MAX_LINES.because}`)).toEqual([]);
  });

  it('begin with what they are', () => {
    expect(files.filter(({ text }) => !text.startsWith('/**')).map(({ path }) => path)).toEqual([]);
  });
});

describe('comments', () => {
  it('speak only of documents that are in the repository', () => {
    const paths = globSync('{src,test,build,demo,bench}/**/*.{ts,sh}', { cwd: REPOSITORY });
    const missing = paths.flatMap((path) =>
      missingDocuments(path, readFileSync(join(REPOSITORY, path), 'utf8')),
    );
    expect(missing).toEqual([]);
  });
});
