/** Finds out which two interfaces are the ends of one pair. */

import { findLinkAt } from './find-link.ts';
import { isKernelError } from './kernel-error.ts';
import type { Link } from './netlink/link.ts';
import { decodeNetnsId, getNetnsId } from './netlink/netns-id.ts';
import type { NetlinkSocket } from './netlink/socket.ts';
import type { Netns } from './netns.ts';

/** The host's socket, and the namespace the other end may be in. */
export interface BothSides {
  readonly host: NetlinkSocket;
  readonly podNetns: Netns;
}

/** The end on the host of an interface in the pod; `undefined` when its other end is elsewhere. */
export function otherEnd(sides: BothSides, container: Link): Link | undefined {
  if (container.peerIfIndex === undefined) return undefined;
  const host = findLinkAt(sides.host, container.peerIfIndex);
  return host !== undefined && arePair(sides, container, host) ? host : undefined;
}

/** Indexes alone prove nothing: each namespace counts for itself. */
export function arePair(sides: BothSides, container: Link, host: Link): boolean {
  const pointAtEachOther = container.peerIfIndex === host.ifIndex && host.peerIfIndex === container.ifIndex;
  return pointAtEachOther && host.peerNetnsId === podNetnsId(sides);
}

function podNetnsId({ host, podNetns }: BothSides): number | undefined {
  try {
    return decodeNetnsId(host.get(getNetnsId(podNetns.fd)));
  } catch (error) {
    if (isKernelError(error, 'ENOENT')) return undefined;
    throw error;
  }
}
