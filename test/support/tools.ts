/** Where the programs are that the tests run, and what to do when one is missing. */

import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** The root of the repository. */
export const REPOSITORY = join(import.meta.dirname, '../..');

/** The reference CNI plugins (ptp, host-local, portmap, …), unpacked by `make tools`. */
export const REFERENCE_PLUGINS = join(REPOSITORY, '.tools/cni');

const SYSTEM_FOLDERS = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

/** PATH as the tests use it: our own tools first, then the caller's, then the folders a bare PATH lacks. */
export function toolPath(): string {
  const folders = [
    join(REPOSITORY, '.tools/bin'),
    ...(process.env.PATH ?? '').split(delimiter),
    ...SYSTEM_FOLDERS,
  ];
  return [...new Set(folders.filter((folder) => folder !== ''))].join(delimiter);
}

/** The absolute path of a program: `etcd`, `cnitool`, `ip`; `undefined` when it is not there. */
export function findTool(name: string): string | undefined {
  return toolPath()
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find((path) => existsSync(path));
}

/** Like {@link findTool}, but throws an error that says how to get it. */
export function requireTool(name: string): string {
  const path = findTool(name);
  if (path === undefined) throw new Error(`cannot find ${name}: run "make tools" first`);
  return path;
}

/** Why tests that need root cannot run here, or `undefined` when they can. */
export function whyNotRoot(): string | undefined {
  return process.getuid?.() === 0 ? undefined : 'needs root: network namespaces and interfaces are made';
}
