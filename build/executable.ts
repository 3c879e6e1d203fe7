/**
 * Packs a bundle and the pinned Node.js into one executable file, with pkg in its simple SEA mode.
 *
 * A call is over after some 40 ms, most of which go by before its first line, so what a process begins with is what
 * counts. One ADD to etcd on 2 cores, medians of 60 runs of each in turns:
 *
 *                                                                  │ wall ms │ CPU ms │ peak MB
 *     an empty Node.js                                             │   26    │   23   │   41
 *     the bundle as it is                                          │   68    │   62   │   54
 *     … with the compiled code of its top level (`useCodeCache`)   │   62    │   56   │   53
 *     a startup snapshot: the bundle already evaluated             │   55    │   50   │   58
 *     … with all functions compiled: snapshot-script.ts            │   49    │   42   │   59
 *     … and compilers that no call lives to profit from put off    │   43    │   38   │   55
 *     … and little of the compiled code of Node: code-cache.ts     │   41    │   36   │   48
 */

import { execFileSync } from 'node:child_process';
import {
  closeSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import pkg from '@yao-pkg/pkg/lib-es5/sea.js';
import { trimCodeCache } from './code-cache.ts';
import { addLibraryPath } from './library-path.ts';
import { snapshotScript } from './snapshot-script.ts';
import { strippedNode } from './stripped-node.ts';

/**
 * V8's first compiler is off and its second one waits, and the space for young objects is enough for a call. All
 * compilers off would save as much, but a long loop would take seven times as long.
 */
const V8_FLAGS = ['--no-sparkplug', '--invocation-count-for-maglev=4000', '--min-semi-space-size=4'];

/**
 * What Node does before our first line runs (https://nodejs.org/api/single-executable-applications.html):
 * the caller's NODE_OPTIONS are ignored, and nothing is written to stderr that the runtime would take for an error.
 */
const SEA_CONFIG = {
  disableExperimentalSEAWarning: true,
  useSnapshot: true,
  useCodeCache: false,
  execArgv: ['--no-warnings', ...V8_FLAGS],
  execArgvExtension: 'none',
};

/** Modules of Node that src/main.ts takes into the snapshot, with all that is behind them. */
const IN_SNAPSHOT = ['node:crypto', 'node:net', 'node:timers/promises', 'node:v8'];

/** Modules of Node that calls load: they own handles, and cannot be part of a snapshot. */
const LOADED_IN_CALLS = ['node:ffi', 'node:tls', 'node:http', 'node:child_process', 'node:sqlite'];

/**
 * The kernel keeps a file in memory in the pieces it was written in, and maps a piece at once. Larger pieces count as
 * memory of each process (256 KiB: 12 MB more, 16 MiB: 41 MB more) and smaller ones take longer to map (4 KiB: 5 ms).
 */
const PIECE_BYTES = 64 * 1024;

/** Paths of files that the program can ask for, by their names. */
type Assets = Readonly<Record<string, string>>;

/**
 * Packs `bundle` into the executable `outfile`, with `assets`. It appears there whole or not at all, also while one runs.
 */
export async function packExecutable(bundle: string, outfile: string, assets: Assets = {}): Promise<void> {
  mkdirSync(dirname(outfile), { recursive: true });
  const folder = mkdtempSync(resolve(dirname(outfile), `.${basename(outfile)}-`));
  try {
    const packed = await pack(resolve(bundle), folder, assets);
    const file = readFileSync(packed);
    trimCodeCache(file, process.versions.node, modulesBehind(LOADED_IN_CALLS));
    writeInPieces(file, packed);
    renameSync(packed, outfile);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Gives the path of the file, which is in `folder`. */
async function pack(bundle: string, folder: string, assets: Assets): Promise<string> {
  const script = join(folder, 'snapshot.cjs');
  const output = join(folder, 'packed');
  writeFileSync(script, snapshotScript(bundle, V8_FLAGS));
  await pkg.default(script, {
    targets: [{ platform: 'linux', arch: process.arch, nodeRange: 'node26', output }],
    // Our own runtime, so that pkg looks for none on the network.
    nodePath: preparedNode(folder),
    seaConfig: {
      ...SEA_CONFIG,
      assets: Object.fromEntries(Object.entries(assets).map(([name, path]) => [name, resolve(path)])),
    },
    signature: false,
  });
  return output;
}

/** Gives the path of our Node.js, which is in `folder`: without symbols, and looking for libraries beside itself first. */
function preparedNode(folder: string): string {
  const node = readFileSync(strippedNode(join(folder, 'stripped')));
  addLibraryPath(node);
  const path = join(folder, 'node');
  writeFileSync(path, node, { mode: 0o755 });
  return path;
}

/** The names of all of Node's modules that are loaded with these, those left out that are in the snapshot. */
function modulesBehind(names: readonly string[]): ReadonlySet<string> {
  const script = `
    const load = (names) => names.map((name) => process.getBuiltinModule(name));
    load(${JSON.stringify(IN_SNAPSHOT)});
    const before = process.moduleLoadList.length;
    load(${JSON.stringify(names)});
    process.stdout.write(process.moduleLoadList.slice(before).join('\\n'));`;
  const loaded = execFileSync(process.execPath, ['--no-warnings', '-e', script], { encoding: 'utf8' });
  return new Set(loaded.match(/(?<=^NativeModule ).+/gm));
}

/** As a file of its own, in place of the one there. */
function writeInPieces(bytes: Buffer, path: string): void {
  rmSync(path);
  const fd = openSync(path, 'wx', 0o755);
  for (let at = 0; at < bytes.length; )
    at += writeSync(fd, bytes, at, Math.min(PIECE_BYTES, bytes.length - at));
  closeSync(fd);
}

/** Gives the executable a second name in its folder: a hard link, so that it costs nothing and cannot dangle. */
export function linkExecutable(executable: string, name: string): void {
  const link = join(dirname(executable), name);
  rmSync(link, { force: true });
  linkSync(executable, link);
}
