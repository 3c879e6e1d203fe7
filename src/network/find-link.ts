/** Looks for one interface. */

import { isKernelError } from './kernel-error.ts';
import type { NetlinkRequest } from './netlink/header.ts';
import { decodeLink, deleteLink, getLink, getLinkAt, type Link } from './netlink/link.ts';
import { type NetlinkSocket, openNetlinkSocket } from './netlink/socket.ts';

/** `undefined` when the socket's namespace has no interface of that name. */
export function findLink(socket: NetlinkSocket, name: string): Link | undefined {
  return linkOrUndefined(socket, getLink(name));
}

/** `undefined` when the socket's namespace has no interface with that index. */
export function findLinkAt(socket: NetlinkSocket, ifIndex: number): Link | undefined {
  return linkOrUndefined(socket, getLinkAt(ifIndex));
}

/** Whether the calling thread's namespace has an interface of that name. */
export function isOnHost(name: string): boolean {
  using host = openNetlinkSocket();
  return findLink(host, name) !== undefined;
}

/** Removes the interface with the index, its other end too; success when it is gone already. */
export function deleteLinkIfPresent(socket: NetlinkSocket, ifIndex: number): void {
  try {
    socket.change(deleteLink(ifIndex));
  } catch (error) {
    if (!isKernelError(error, 'ENODEV')) throw error;
  }
}

function linkOrUndefined(socket: NetlinkSocket, request: NetlinkRequest): Link | undefined {
  try {
    return decodeLink(socket.get(request));
  } catch (error) {
    if (isKernelError(error, 'ENODEV')) return undefined;
    throw error;
  }
}
