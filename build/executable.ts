/** Packs a bundle and the pinned Node.js into one executable file, with pkg in its simple SEA mode. */

import { linkSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import pkg from '@yao-pkg/pkg/lib-es5/sea.js';

/**
 * What Node does before our first line runs (https://nodejs.org/api/single-executable-applications.html):
 * the caller's NODE_OPTIONS are ignored, and nothing is written to stderr that the runtime would take for an error.
 * The compiled code is kept with the source: a call is about 12 ms shorter. (A minified bundle is no faster.)
 */
const SEA_CONFIG = {
  disableExperimentalSEAWarning: true,
  useSnapshot: false,
  useCodeCache: true,
  execArgv: ['--no-warnings'],
  execArgvExtension: 'none',
};

/** Packs `bundle` into the executable `outfile`. It appears there whole or not at all, also while one runs. */
export async function packExecutable(bundle: string, outfile: string): Promise<void> {
  mkdirSync(dirname(outfile), { recursive: true });
  const unfinished = resolve(dirname(outfile), `.${basename(outfile)}.unfinished`);
  rmSync(unfinished, { force: true });
  await pkg.default(resolve(bundle), {
    targets: [{ platform: 'linux', arch: process.arch, nodeRange: 'node26', output: unfinished }],
    // Our own runtime, so that pkg looks for none on the network.
    nodePath: process.execPath,
    seaConfig: SEA_CONFIG,
    signature: false,
  });
  renameSync(unfinished, outfile);
}

/** Gives the executable a second name in its folder: a hard link, so that it costs nothing and cannot dangle. */
export function linkExecutable(executable: string, name: string): void {
  const link = join(dirname(executable), name);
  rmSync(link, { force: true });
  linkSync(executable, link);
}
