/** The IPAM plugin, for any main plugin that names it: its verbs, each evaluated only when it is called. */

import type { CniPlugin } from '../../cni/dispatch.ts';
import type { World } from '../world.ts';

export function calicoIpamPlugin(world: World, about: string): CniPlugin {
  return {
    about,
    add: async (call) => (await import('./add.ts')).add(call, world),
    del: async (call) => (await import('./del.ts')).del(call, world),
  };
}
