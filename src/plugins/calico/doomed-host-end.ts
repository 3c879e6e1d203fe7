/**
 * The host end that stayed when a DEL could not reach the sandbox's. A pod's next sandbox takes the very name, and its ADD
 * may come between what this DEL reads and what it removes. So it removes only what it saw before it read: an ADD writes
 * the endpoint before it makes the interface, so what is seen and belongs to the next sandbox has its endpoint by then.
 */

import { removeHostLink, removeSeenHostLink } from '../../network/remove-pod.ts';
import { seeHostLinks } from '../../network/stale-remains.ts';
import type { HostIfNames } from './claim-links.ts';

export interface DoomedHostEnd {
  /** Success when it is gone, or when another one has its name by now. Gives a warning for one that stays. */
  remove(hostIfName: string): Promise<string | undefined>;
}

/** To be called before the records are read. */
export function seeHostEnd({ usual, alternative }: HostIfNames): DoomedHostEnd {
  const names = [usual, alternative];
  const seen = seeHostLinks(names);
  return {
    remove: async (hostIfName) => {
      // A name that only its endpoint tells, of a dataplane or of another prefix, is none that others come to have.
      if (!names.includes(hostIfName)) return removeHostLink(hostIfName);
      const link = seen.find(({ name }) => name === hostIfName);
      return link === undefined ? undefined : removeSeenHostLink(link);
    },
  };
}
