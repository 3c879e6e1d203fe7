/** Which interfaces can be a pod's. Pure. */

import type { Link } from './netlink/link.ts';
import type { DeviceType } from './pod-network.ts';

/** Anything of another kind that has a pod's name was put there by somebody else. */
const POD_LINK_KINDS: readonly DeviceType[] = ['veth', 'netkit'];

export function isPodLink(link: Link): link is Link & { readonly kind: DeviceType } {
  return POD_LINK_KINDS.some((kind) => kind === link.kind);
}
