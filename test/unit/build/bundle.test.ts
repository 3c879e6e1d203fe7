import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, relative } from 'node:path';
import { runInThisContext } from 'node:vm';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { bundleInParts } from '../../../build/bundle.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bundle-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Gives the path of the entry, from the working directory. */
function program(files: Readonly<Record<string, string>>): string {
  mkdirSync(join(folder, 'src'));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, 'src', name), text);
  return relative(process.cwd(), join(folder, 'src/main.ts'));
}

async function inParts(files: Readonly<Record<string, string>>, elsewhere: readonly string[] = []) {
  const [first, parts] = [join(folder, 'first.cjs'), join(folder, 'parts')];
  const { lateParts } = await bundleInParts(program(files), first, parts, elsewhere);
  return { first, late: new Map(lateParts.map((path) => [`./${basename(path)}`, path])) };
}

/** Runs CommonJS files as the executable does, but a part that two ask for twice. */
function evaluate(first: string, late: ReadonlyMap<string, string>): void {
  const shared: { exports: Record<string, unknown> } = { exports: {} };
  const load = (name: string): unknown =>
    shared.exports[name] ?? run(late.get(name) ?? name, { exports: {} });
  const run = (path: string, module: { exports: Record<string, unknown> }) => {
    const text = readFileSync(path, 'utf8');
    runInThisContext(`(function (require, module, exports) {${text}\n})`)(load, module, module.exports);
    return module.exports;
  };
  run(first, shared);
}

const PROGRAM = {
  'main.ts': `import { Failure } from './failure.ts';
    Object.assign(globalThis, { bundled: {
      add: () => new Failure('of an ADD'),
      check: async () => (await import('./check.ts')).check(),
      isFailure: (error) => error instanceof Failure,
    } });`,
  'failure.ts': 'export class Failure extends Error {}',
  'check.ts': `import { Failure } from './failure.ts';
    export function check() { return new Failure('of a CHECK'); }`,
};

describe('bundleInParts()', () => {
  it('leaves what is imported later out of the first file', async () => {
    const { first, late } = await inParts(PROGRAM);
    expect(readFileSync(first, 'utf8')).toContain('of an ADD');
    expect(readFileSync(first, 'utf8')).not.toContain('of a CHECK');
    expect([...late.values()].map((path) => readFileSync(path, 'utf8')).join()).toContain('of a CHECK');
  });

  it('is strict everywhere, as the modules are', async () => {
    const { first, late } = await inParts(PROGRAM);
    for (const path of [first, ...late.values()])
      expect(readFileSync(path, 'utf8')).toMatch(/^"use strict";/);
  });

  it('has each module once, so that an error of a part is what it is everywhere', async () => {
    const { first, late } = await inParts(PROGRAM);
    evaluate(first, late);
    const { bundled } = globalThis as unknown as {
      bundled: { check(): Promise<Error>; isFailure(error: Error): boolean };
    };
    const failure = await bundled.check();
    expect(failure.message).toBe('of a CHECK');
    expect(bundled.isFailure(failure)).toBe(true);
  });

  it('leaves modules that are elsewhere where they are', async () => {
    const files = { 'main.ts': `console.log(() => import('./operator.ts'));`, 'operator.ts': '!' };
    const { first, late } = await inParts(files, ['./operator.ts']);
    expect(readFileSync(first, 'utf8')).toContain('require("./operator.ts")');
    expect(late.size).toBe(0);
  });

  it('refuses a comment that would double the memory of the text', async () => {
    const made = inParts({ 'main.ts': 'console.log({\n // 2 − 1\n a: 1 });' });
    await expect(made).rejects.toThrow(/first\.cjs:\d+ has characters beyond ASCII: +\/\/ 2 − 1/);
  });
});
