/** What an installation has put on a host, in the order in which it goes again: the configuration is the first. Pure. */

import { join } from 'node:path';
import { isJsonObject, jsonMember } from '../base/json-object.ts';
import type { Places } from './install-settings.ts';
import { TLS_FOLDER } from './tls-folder.ts';
import type { WantedFile } from './wanted-file.ts';
import { KUBECONFIG, LIBRARY_FOLDER } from './wanted-state.ts';

export interface UninstallFacts {
  readonly places: Places;
  readonly confName: string;
  /** Text of the configuration of that name; `undefined` when there is none. */
  readonly conf: string | undefined;
  /** Paths of `calico` and `calico-ipam` whose content is this very executable's. */
  readonly ownExecutables: readonly string[];
  /** Paths of those that are another program's. */
  readonly foreignExecutables: readonly string[];
}

export interface UninstallPlan {
  readonly removed: readonly WantedFile[];
  /** What is left, and why. */
  readonly left: readonly string[];
}

export function planUninstall(facts: UninstallFacts): UninstallPlan {
  const { places, confName, conf, ownExecutables, foreignExecutables } = facts;
  const inNet = (name: string) => join(places.netFolder, name);
  const isOurs = conf !== undefined && hasCalico(conf);
  const libraries =
    ownExecutables.length > 0 ? places.binFolders.map((folder) => join(folder, LIBRARY_FOLDER)) : [];
  // Somebody else's configuration may need the other two.
  const isForeign = conf !== undefined && !isOurs;
  const paths = [
    ...(isOurs ? [inNet(confName)] : []),
    ...(isForeign ? [] : [inNet(KUBECONFIG), inNet(TLS_FOLDER)]),
    ...ownExecutables,
    ...libraries,
  ];
  return {
    removed: paths.map((path) => ({ type: 'absent', path })),
    left: [
      ...(isForeign ? [`${inNet(confName)}: it names no plugin called calico`] : []),
      ...foreignExecutables.map(
        (path) => `${path}: it is not this program, but another version or another's`,
      ),
    ],
  };
}

function hasCalico(conf: string): boolean {
  try {
    const json: unknown = JSON.parse(conf);
    if (!isJsonObject(json)) return false;
    const plugins = jsonMember(json, 'plugins') ?? [json];
    const isCalico = (plugin: unknown) => isJsonObject(plugin) && jsonMember(plugin, 'type') === 'calico';
    return Array.isArray(plugins) && plugins.some(isCalico);
  } catch {
    return false;
  }
}
