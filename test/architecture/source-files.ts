/** What the architecture tests look at: each file of `src` with its imports, and its code without comments. */

import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { REPOSITORY } from '../support/tools.ts';

export interface Import {
  /** As written: `../base/cidr.ts`, `node:fs`, `zod`. */
  readonly specifier: string;
  /** The imported file, `src/base/cidr.ts`; `undefined` for a package or a builtin. */
  readonly file: string | undefined;
  /** Only types are imported, so nothing remains of it at run time. */
  readonly isTypeOnly: boolean;
}

export interface SourceFile {
  /** From the root of the repository: `src/ipam/block/create.ts`. */
  readonly path: string;
  /** The folder under `src`; `''` for `src/main.ts`. */
  readonly room: string;
  readonly text: string;
  readonly imports: readonly Import[];
}

/** Every TypeScript file under `src`. */
export function sourceFiles(): readonly SourceFile[] {
  return readdirSync(join(REPOSITORY, 'src'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => relative(REPOSITORY, join(entry.parentPath, entry.name)))
    .map((path) => sourceFile(path, readFileSync(join(REPOSITORY, path), 'utf8')));
}

/** A file from its path and text. */
export function sourceFile(path: string, text: string): SourceFile {
  return { path, room: roomOf(path), text, imports: importsOf(path, text) };
}

/** `ipam` for `src/ipam/block/create.ts`, `''` for `src/main.ts`. */
export function roomOf(path: string): string {
  const [, room = '', ...rest] = path.split('/');
  return rest.length === 0 ? '' : room;
}

const STATIC = /^(?:import|export)\s+(type\s+)?([^;'"]*?from\s+)?'([^']+)'/gm;
const DYNAMIC = /\b(?:import|require|getBuiltinModule)\(\s*'([^']+)'/g;

function importsOf(path: string, text: string): readonly Import[] {
  const statics = text.matchAll(STATIC).map(([, type, clause, specifier = '']) => ({
    specifier,
    isTypeOnly: type !== undefined || namesOnlyTypes(clause ?? ''),
  }));
  const dynamics = text.matchAll(DYNAMIC).map(([, specifier = '']) => ({ specifier, isTypeOnly: false }));
  return [...statics, ...dynamics].map((found) => ({ ...found, file: resolve(path, found.specifier) }));
}

/** `{ type A, type B } from` names only types, `{ type A, b } from` does not. */
function namesOnlyTypes(clause: string): boolean {
  const names = /^\{([^}]*)\}/.exec(clause.trim())?.[1]?.split(',') ?? [];
  const given = names.map((name) => name.trim()).filter((name) => name !== '');
  return given.length > 0 && given.every((name) => name.startsWith('type '));
}

function resolve(path: string, specifier: string): string | undefined {
  return specifier.startsWith('.') ? join(dirname(path), specifier) : undefined;
}

/** The text without comments and without what stands in quotes, line breaks kept: what is left is code. */
export function codeOf(text: string): string {
  return text.replace(
    /\/\*[\s\S]*?\*\/|\/\/[^\n]*|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`/g,
    (skipped) => skipped.replace(/[^\n]/g, ' '),
  );
}
