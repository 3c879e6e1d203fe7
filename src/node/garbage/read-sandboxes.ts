/** What the runtime of this host has of containers: the results that its CNI library keeps, and their network namespaces. */

import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import { CalicoError, errorText } from '../../base/calico-error.ts';
import { isResultOf, sandboxPaths } from './cached-result.ts';
import type { SandboxState } from './judge-containers.ts';

/**
 * Throws `config` when there is no such folder, or it cannot be read: as from inside a container that was not given it,
 * where nothing can be said of any sandbox. So does what it gives, when asked about a container, where the folder has no
 * results: it is another one, or there was no container yet. `undefined`: the runtime keeps none, so nothing is known.
 */
export function readSandboxes(cniCache: string | undefined): (containerId: string) => SandboxState {
  if (cniCache === undefined) return () => 'unknown';
  const files = resultFiles(cniCache);
  return (containerId) => {
    if (files === undefined) throw noResults(cniCache);
    const states = files
      .filter((name) => isResultOf(name, containerId))
      .map((name) => stateOf(join(cniCache, 'results', name)));
    if (states.length === 0) return 'unknown';
    return states.every((state) => state === 'gone') ? 'gone' : 'alive';
  };
}

const ADVICE =
  'give the agent this folder and /run/netns of the host, or set GARBAGE_COLLECTION_CNI_CACHE to where the runtime keeps CNI results, or to none if it keeps none';

/** `undefined`: there is no folder of them. */
function resultFiles(cniCache: string): readonly string[] | undefined {
  try {
    const folders = readdirSync(cniCache);
    return folders.includes('results') ? readdirSync(join(cniCache, 'results')) : undefined;
  } catch (cause) {
    throw new CalicoError(
      'config',
      `${cniCache} cannot be read, so nothing tells which containers the runtime has: ${errorText(cause)}`,
      { details: ADVICE, cause },
    );
  }
}

function noResults(cniCache: string): CalicoError {
  const text = `${cniCache} has no folder results, so nothing tells which containers the runtime has`;
  return new CalicoError('config', text, { details: ADVICE });
}

/** In doubt it is alive. */
function stateOf(path: string): SandboxState {
  const paths = sandboxPaths(readOrEmpty(path));
  return paths.length > 0 && paths.every(isGone) ? 'gone' : 'alive';
}

/** A namespace is not known to be gone when the folder that it was in cannot be seen from here. */
function isGone(netns: string): boolean {
  return isAbsolute(netns) && isMissing(netns) && existsSync(dirname(netns));
}

/** What may not be seen may be there: /proc/PID/ns/net of a process that lives, without CAP_SYS_PTRACE. */
function isMissing(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false }) === undefined;
  } catch {
    return false;
  }
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
