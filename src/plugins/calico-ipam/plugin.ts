/** The IPAM plugin, for any main plugin that names it: its verbs. */

import type { CniPlugin } from '../../cni/dispatch.ts';
import type { World } from '../world.ts';
import { add } from './add.ts';
import { del } from './del.ts';

export function calicoIpamPlugin(world: World, about: string): CniPlugin {
  return {
    about,
    add: (call) => add(call, world),
    del: (call) => del(call, world),
    check: async (call) => (await import('./check.ts')).check(call, world),
    status: async (call) => (await import('./status.ts')).status(call, world),
    gc: async (call) => (await import('./gc.ts')).gc(call, world),
  };
}
