/** What will keep pods from getting a network although the installation is complete. Pure. */

import { jsonMember } from '../base/json-object.ts';
import type { Rendered } from './render-conf.ts';

export interface ConfFacts {
  readonly confName: string;
  readonly rendered: Rendered;
  /** Names of all files in the folder of network configurations, but the one that goes. */
  readonly otherNames: readonly string[];
  /** Names of all plugins that the runtime will find in the folder they were installed to. */
  readonly programs: readonly string[];
}

export function confWarnings({ confName, rendered, otherNames, programs }: ConfFacts): readonly string[] {
  const before = otherNames
    .filter((name) => /\.(?:conf|conflist|json)$/.test(name) && name < confName)
    .toSorted();
  const missing = rendered.plugins
    .map((plugin) => jsonMember(plugin, 'type'))
    .filter((type) => typeof type === 'string' && !programs.includes(type));
  return [
    ...(before.length > 0
      ? [`the runtime takes the first file by name, which is not ${confName} but ${before[0]}`]
      : []),
    ...missing.map(
      (type) => `${confName} chains the plugin ${type}, which is not beside calico: pods will fail`,
    ),
    ...(/\.(?:conf|conflist|json)$/.test(confName)
      ? []
      : [`a runtime reads no file like ${confName}: it should end in .conflist`]),
  ];
}
