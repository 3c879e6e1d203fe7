/** What a runtime's CNI library keeps of an ADD that succeeded, until the DEL (libcni, `results/NETWORK-CONTAINER-INTERFACE`). Pure. */

import { isJsonObject, type JsonObject } from '../../base/json-object.ts';

/** Whether the name of the file can be of the container. */
export function isResultOf(fileName: string, containerId: string): boolean {
  return fileName.includes(`-${containerId}-`);
}

/** Paths of the sandbox's network namespace: as it was given to the plugins, or as they named it in their result. */
export function sandboxPaths(text: string): readonly string[] {
  const cached = parse(text);
  const given = typeof cached.netns === 'string' && cached.netns !== '' ? [cached.netns] : [];
  // Old versions keep the bare result.
  const result = isJsonObject(cached.result) ? cached.result : cached;
  const interfaces = Array.isArray(result.interfaces) ? result.interfaces.filter(isJsonObject) : [];
  const named = interfaces.flatMap(({ sandbox }) =>
    typeof sandbox === 'string' && sandbox.startsWith('/') ? [sandbox] : [],
  );
  return [...new Set([...given, ...named])];
}

function parse(text: string): JsonObject {
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) ? value : {};
  } catch {
    return {};
  }
}
