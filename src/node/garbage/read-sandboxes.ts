/** What the runtime of this host has of containers: the results that its CNI library keeps, and their network namespaces. */

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { CalicoError, errorText } from '../../base/calico-error.ts';
import { isResultOf, sandboxPaths } from './cached-result.ts';
import type { SandboxState } from './judge-containers.ts';

/**
 * Throws `config` when there is no such folder, or it cannot be read: as from inside a container that was not given it,
 * where nothing can be said of any sandbox. `undefined`: the runtime keeps no results, so nothing is known of any.
 */
export function readSandboxes(cniCache: string | undefined): (containerId: string) => SandboxState {
  if (cniCache === undefined) return () => 'unknown';
  const files = resultFiles(cniCache);
  return (containerId) => {
    const states = files
      .filter((name) => isResultOf(name, containerId))
      .map((name) => stateOf(join(cniCache, 'results', name)));
    if (states.length === 0) return 'unknown';
    return states.every((state) => state === 'gone') ? 'gone' : 'alive';
  };
}

/** None on a host that has had no container yet. */
function resultFiles(cniCache: string): readonly string[] {
  try {
    const folders = readdirSync(cniCache);
    return folders.includes('results') ? readdirSync(join(cniCache, 'results')) : [];
  } catch (cause) {
    throw new CalicoError(
      'config',
      `${cniCache} cannot be read, so nothing tells which containers the runtime has: ${errorText(cause)}`,
      {
        details:
          'give the agent this folder and /run/netns of the host, or set GARBAGE_COLLECTION_CNI_CACHE to where the runtime keeps CNI results, or to none if it keeps none',
        cause,
      },
    );
  }
}

/** In doubt it is alive. */
function stateOf(path: string): SandboxState {
  const paths = sandboxPaths(readOrEmpty(path));
  return paths.length > 0 && paths.every(isGone) ? 'gone' : 'alive';
}

/** A namespace is not known to be gone when the folder that it was in cannot be seen from here. */
function isGone(netns: string): boolean {
  return !existsSync(netns) && existsSync(dirname(netns));
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
