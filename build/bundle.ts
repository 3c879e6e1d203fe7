/** Bundles the program into one CommonJS file that needs nothing beside it: what the executable is made from. */

import { build } from 'esbuild';
import { embedEtcdProtocol } from './embed-etcd-protocol.ts';

/**
 * Bundles `entry` (a TypeScript file) and all it imports into `outfile`; gives the paths of all files in it, from the
 * working directory.
 * Warnings are errors: esbuild warns of what would fail at run time, such as `import.meta` in CommonJS.
 */
export async function bundle(entry: string, outfile: string): Promise<readonly string[]> {
  const { warnings, metafile } = await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node26',
    // A single character beyond Latin-1, and V8 takes two bytes for each character of the text, in every process.
    charset: 'ascii',
    legalComments: 'none',
    metafile: true,
    plugins: [embedEtcdProtocol()],
    logLevel: 'warning',
  });
  if (warnings.length > 0)
    throw new Error(`the bundle of ${entry} has ${warnings.length} warnings, see above`);
  return Object.keys(metafile.inputs);
}
