import { describe, expect, it } from 'vitest';
import { PROCESS_MEMBERS, PURE } from './rules.ts';
import { codeOf, type SourceFile, sourceFile, sourceFiles } from './source-files.ts';

const files = sourceFiles();

/** One line per use of the global `process` that is not for `src/main.ts` alone. */
function processUses(file: SourceFile): readonly string[] {
  if (file.path === 'src/main.ts') return [];
  return [...codeOf(file.text).matchAll(/(?<![.\w$])process\b(?!\s*[:(?])(?:\.(\w+))?/g)]
    .filter(([, member]) => member === undefined || !(member in PROCESS_MEMBERS))
    .map(([use]) => `${file.path} says ${use}: what the process is given enters through src/main.ts`);
}

function isPure({ room, path }: SourceFile): boolean {
  return PURE.rooms.some((pure) => pure === room) || PURE.paths.some((pure) => path.startsWith(pure));
}

function impurities(file: SourceFile): readonly string[] {
  if (!isPure(file)) return [];
  const code = codeOf(file.text);
  return Object.entries(PURE.forbidden)
    .filter(([, pattern]) => pattern.test(code))
    .map(([what]) => `${file.path} uses ${what}: ${PURE.because}`);
}

describe('the process', () => {
  it('is named by src/main.ts alone', () => {
    expect(files.flatMap(processUses)).toEqual([]);
  });

  it.each(['process.env.HOME', 'const { argv } = process;', 'f(process, 1)'])('is found in %s', (text) => {
    expect(processUses(sourceFile('src/cni/a.ts', text))).toHaveLength(1);
  });

  it.each([
    'ipaddr.process(text)',
    `// the process.env of it\nconst a = 'process.env';`,
    `process.getBuiltinModule('node:net')`,
    'const another = { process: 1 };',
  ])('is not found in %s', (text) => {
    expect(processUses(sourceFile('src/cni/a.ts', text))).toEqual([]);
  });
});

describe('the pure rooms', () => {
  it('take time, chance and the world as arguments', () => {
    expect(files.flatMap(impurities)).toEqual([]);
  });

  it.each(['const at = Date.now();', 'const d = new Date();', 'await fetch(url)', 'setTimeout(f, 1)'])(
    'would be caught with %s',
    (text) => {
      expect(impurities(sourceFile('src/ipam/a.ts', text))).toHaveLength(1);
      expect(impurities(sourceFile('src/base/time.ts', text))).toEqual([]);
    },
  );
});
