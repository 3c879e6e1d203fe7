import { describe, expect, it } from 'vitest';
import { type SourceFile, sourceFile, sourceFiles } from './source-files.ts';

/** The first import cycle found, as the paths along it, the first one repeated at the end; else `undefined`. */
function findCycle(files: readonly SourceFile[]): readonly string[] | undefined {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const done = new Set<string>();
  const walk = (path: string, above: readonly string[]): readonly string[] | undefined => {
    if (above.includes(path)) return [...above.slice(above.indexOf(path)), path];
    if (done.has(path)) return undefined;
    for (const { file } of byPath.get(path)?.imports ?? []) {
      const cycle = file === undefined ? undefined : walk(file, [...above, path]);
      if (cycle !== undefined) return cycle;
    }
    done.add(path);
    return undefined;
  };
  for (const { path } of files) {
    const cycle = walk(path, []);
    if (cycle !== undefined) return cycle;
  }
  return undefined;
}

describe('imports', () => {
  it('go round in no circle, types included', () => {
    expect(findCycle(sourceFiles())).toBeUndefined();
  });

  it('would be found going round in a circle', () => {
    const files = [
      sourceFile('src/a.ts', `import { b } from './x/b.ts';`),
      sourceFile('src/x/b.ts', `import type { C } from '../c.ts';`),
      sourceFile('src/c.ts', `export { b } from './x/b.ts';`),
    ];
    expect(findCycle(files)).toEqual(['src/x/b.ts', 'src/c.ts', 'src/x/b.ts']);
  });
});
