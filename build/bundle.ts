/** Bundles programs with esbuild into CommonJS files that need nothing beside them: what the executable is made from. */

import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { type BuildOptions, build, type Metafile, type Plugin, transform } from 'esbuild';
import { embedEtcdProtocol } from './embed-etcd-protocol.ts';

const OPTIONS = {
  platform: 'node',
  target: 'node26',
  charset: 'ascii',
  legalComments: 'none',
  logLevel: 'warning',
  // ECMAScript modules are strict; what becomes CommonJS of them in a second step must say so.
  tsconfigRaw: { compilerOptions: { alwaysStrict: true } },
} as const satisfies BuildOptions;

/** Of parts that are ECMAScript modules: what they import later they ask for with `require()`. */
const TO_COMMON_JS = {
  ...OPTIONS,
  format: 'cjs',
  supported: { 'dynamic-import': false },
} as const satisfies BuildOptions;

/**
 * Bundles `entry` (a TypeScript file) and all it imports into `outfile`; gives the paths of all files in it, from the
 * working directory.
 */
export async function bundle(entry: string, outfile: string): Promise<readonly string[]> {
  const { inputs } = await made({
    ...OPTIONS,
    entryPoints: [entry],
    outfile,
    bundle: true,
    format: 'cjs',
    plugins: [embedEtcdProtocol()],
  });
  return Object.keys(inputs);
}

export interface SplitBundle {
  /** Of all files in it, the paths from the working directory. */
  readonly files: readonly string[];
  /**
   * What `entry` imports with `import()`, and what only that needs: CommonJS files that ask for one another, and for what
   * they share with the first file, by `require('./NAME')`. The first file exports each thing shared by that name.
   */
  readonly lateParts: readonly string[];
}

/**
 * Like {@link bundle}, but what `entry` imports with `import()` comes into files of its own in `folder`, which is made
 * anew. `elsewhere`: module specifiers that are left as they are, to be asked for with `require()`, too.
 */
export async function bundleInParts(
  entry: string,
  outfile: string,
  folder: string,
  elsewhere: readonly string[],
): Promise<SplitBundle> {
  rmSync(folder, { recursive: true, force: true });
  const { inputs, outputs } = await made({
    ...OPTIONS,
    entryPoints: [entry],
    outdir: folder,
    bundle: true,
    format: 'esm',
    splitting: true,
    external: [...elsewhere],
    plugins: [embedEtcdProtocol()],
  });
  const first = partsOfEntry(entry, outputs);
  const late = Object.keys(outputs).filter((path) => !first.has(path));
  const shared = late.flatMap((path) => importsOf(path, outputs)).filter((path) => first.has(path));
  const [entryPart = ''] = first;
  await bundleFirst(entryPart, shared, outfile, folder);
  for (const path of first) rmSync(path);
  for (const path of late) await makeCommonJs(path);
  return { files: Object.keys(inputs), lateParts: late };
}

type Outputs = Metafile['outputs'];

/** All that the entry needs at once, beginning with the file that it became. */
function partsOfEntry(entry: string, outputs: Outputs): ReadonlySet<string> {
  const parts = new Set(Object.keys(outputs).filter((path) => outputs[path]?.entryPoint === entry));
  // A set is walked to its end, whatever is added meanwhile.
  for (const path of parts) for (const next of importsOf(path, outputs)) parts.add(next);
  return parts;
}

/** Those that must be there before it is evaluated. */
function importsOf(path: string, outputs: Outputs): readonly string[] {
  const imports = outputs[path]?.imports ?? [];
  return imports
    .filter(({ kind, external }) => kind === 'import-statement' && !external)
    .map(({ path }) => path);
}

/** These parts become one file again, in which names are bound when it is made and not when it runs. */
async function bundleFirst(
  entry: string,
  shared: readonly string[],
  outfile: string,
  folder: string,
): Promise<void> {
  const names = [...new Set(shared)].map((path) => JSON.stringify(`./${basename(path)}`));
  const contents = [
    `import './${basename(entry)}';`,
    ...names.map((name) => `export * as ${name} from ${name};`),
  ].join('\n');
  await made({
    ...TO_COMMON_JS,
    stdin: { contents, resolveDir: folder },
    outfile,
    bundle: true,
    plugins: [leaveDynamicImports],
  });
  requireAscii(outfile);
}

const leaveDynamicImports: Plugin = {
  name: 'leave-dynamic-imports',
  setup: ({ onResolve }) => {
    onResolve({ filter: /.*/ }, ({ kind, path }) =>
      kind === 'dynamic-import' ? { path, external: true } : undefined,
    );
  },
};

/** A single character beyond Latin-1, and V8 takes two bytes for each of the text, in every process. */
function requireAscii(path: string): void {
  const lines = readFileSync(path, 'utf8').split('\n');
  const at = lines.findIndex((line) => /\P{ASCII}/u.test(line));
  if (at !== -1) throw new Error(`${path}:${at + 1} has characters beyond ASCII: ${lines[at]}`);
}

async function makeCommonJs(path: string): Promise<void> {
  const { code } = await transform(readFileSync(path, 'utf8'), {
    ...TO_COMMON_JS,
    sourcefile: basename(path),
  });
  writeFileSync(path, code);
}

/** Warnings are errors: esbuild warns of what would fail at run time, such as `import.meta` in CommonJS. */
async function made(options: BuildOptions): Promise<Metafile> {
  const { warnings, metafile } = await build({ ...options, metafile: true });
  if (warnings.length > 0 || metafile === undefined)
    throw new Error(
      `the bundle ${options.outfile ?? options.outdir} has ${warnings.length} warnings, see above`,
    );
  return metafile;
}
