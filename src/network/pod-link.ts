/** Which interfaces can be a pod's. Pure. */

import type { Link } from './netlink/link.ts';

/** Anything of another kind that has a pod's name was put there by somebody else. */
const POD_LINK_KINDS: readonly (string | undefined)[] = ['veth', 'netkit'];

export function isPodLink({ kind }: Link): boolean {
  return POD_LINK_KINDS.includes(kind);
}
