import { describe, expect, it } from 'vitest';
import { DOORS, LAZY_MODULES, ROOMS } from './rules.ts';
import { type Import, roomOf, type SourceFile, sourceFile, sourceFiles } from './source-files.ts';

const files = sourceFiles();

/** One line per import that the rule of its file's room does not allow. */
function forbiddenImports(file: SourceFile): readonly string[] {
  const rule = ROOMS[file.room];
  if (rule === undefined) return file.room === '' ? [] : [`${file.path}: no rule for the room ${file.room}`];
  const isAllowed = ({ specifier, file: target, isTypeOnly }: Import): boolean => {
    if (specifier.startsWith('node:'))
      return isTypeOnly || rule.builtins.includes(specifier) || isLazy(specifier);
    if (target === undefined) return true;
    const room = roomOf(target);
    const isKnown = rule.values.some((known) => known === room || `src/${known}` === target);
    return room === file.room || isKnown || (isTypeOnly && rule.types.includes(room));
  };
  return file.imports
    .filter((found) => !isAllowed(found))
    .map(
      (found) =>
        `${file.path} imports ${found.isTypeOnly ? 'types of ' : ''}${found.specifier}: ${rule.because}`,
    );
}

/** Allowed or not, those have a rule of their own below. */
function isLazy(specifier: string): boolean {
  return LAZY_MODULES.names.includes(specifier);
}

function forbiddenDoors(file: SourceFile): readonly string[] {
  return file.imports.flatMap(({ specifier }) => {
    const door = DOORS[specifier];
    if (door === undefined || door.only.some((place) => isInside(file.path, place))) return [];
    return [`${file.path} imports ${specifier}: ${door.because}`];
  });
}

function isInside(path: string, place: string): boolean {
  return place.endsWith('/') ? path.startsWith(place) : path === place;
}

function eagerModules(file: SourceFile): readonly string[] {
  return [...file.text.matchAll(/^(?:import|export)\s+(?!type\b)(?:[^;'"]*?\bfrom\s+)?'(node:[^']+)'/gm)]
    .filter(([, specifier = '']) => isLazy(specifier))
    .map(([, specifier]) => `${file.path} imports ${specifier} at its top: ${LAZY_MODULES.because}`);
}

describe('the rooms of src', () => {
  it('import only from the rooms they may know', () => {
    expect(files.flatMap(forbiddenImports)).toEqual([]);
  });

  it('reach packages with a single door through that door', () => {
    expect(files.flatMap(forbiddenDoors)).toEqual([]);
  });

  it('load no module at their top that owns handles', () => {
    expect(files.flatMap(eagerModules)).toEqual([]);
  });

  it('are not imported by anyone below src/main.ts, nor is it', () => {
    const importsMain = files.filter(({ imports }) => imports.some(({ file }) => file === 'src/main.ts'));
    expect(importsMain.map(({ path }) => path)).toEqual([]);
  });
});

describe('the checks above', () => {
  const breaches = (path: string, text: string): number => {
    const file = sourceFile(path, text);
    return forbiddenImports(file).length + forbiddenDoors(file).length + eagerModules(file).length;
  };

  it.each([
    ['src/base/a.ts', `import { b } from '../ipam/b.ts';`],
    ['src/ipam/a.ts', `import { b } from '../base/b.ts';\nimport {\n  c,\n  d,\n} from '../datastore/c.ts';`],
    ['src/ipam/block/a.ts', `import { readFileSync } from 'node:fs';`],
    ['src/datastore/a.ts', `import { type A, b } from '../ipam/a.ts';`],
    ['src/network/a.ts', `export { b } from '../cni/b.ts';`],
    ['src/cni/a.ts', `import '../plugins/side-effect.ts';`],
    ['src/plugins/a.ts', `const etcd = await import('etcd3');`],
    ['src/network/a.ts', `process.getBuiltinModule('node:ffi');`],
    ['src/kubernetes/a.ts', `import { request } from 'node:https';`],
    ['src/attic/a.ts', ''],
  ])('find what is wrong in %s: %s', (path, text) => {
    expect(breaches(path, text)).toBe(1);
  });

  it.each([
    ['src/ipam/a.ts', `import { b } from '../base/b.ts';\nimport { c } from './block/c.ts';`],
    [
      'src/datastore/a.ts',
      `import type { A } from '../ipam/a.ts';\nimport { type B } from '../workload/b.ts';`,
    ],
    ['src/datastore/a.ts', `import { affinityId } from '../ipam/facts.ts';`],
    ['src/datastore/etcd/a.ts', `import { Etcd3 } from 'etcd3';`],
    ['src/network/native.ts', `process.getBuiltinModule('node:ffi');`],
    ['src/datastore/sqlite/a.ts', `export function a() {\n  process.getBuiltinModule('node:sqlite');\n}`],
    ['src/kubernetes/a.ts', `import type { Agent } from 'node:https';`],
    ['src/main.ts', `import { a } from './plugins/a.ts';`],
  ])('accept %s: %s', (path, text) => {
    expect(breaches(path, text)).toBe(0);
  });
});
