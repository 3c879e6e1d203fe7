/** The main plugin: its verbs, each evaluated only when it is called. */

import type { CniPlugin } from '../../cni/dispatch.ts';
import type { World } from '../world.ts';

export function calicoPlugin(world: World, about: string): CniPlugin {
  return {
    about,
    guard: async (call) => (await import('../guard-netns.ts')).guardNetns(call),
    add: async (call) => (await import('./add.ts')).add(call, world),
    del: async (call) => (await import('./del.ts')).del(call, world),
  };
}
