/** What this process's network namespace has: the names of its interfaces, and its routes. */

import { readFileSync } from 'node:fs';
import { findLink } from './find-link.ts';
import { decodeRoute, dumpRoutes, type Route, TABLE_MAIN } from './netlink/route.ts';
import { openNetlinkSocket } from './netlink/socket.ts';

export interface HostState {
  /** Index by name. */
  readonly interfaces: ReadonlyMap<string, number>;
  /** Of the main table. */
  readonly routes: readonly Route[];
}

/** Names as the kernel lists them beside their counters; one that goes away meanwhile is left out. */
const INTERFACES_FILE = '/proc/self/net/dev';

/** Throws `network` when the kernel refuses. `ip link show; ip route show table main` */
export function observeHost(): HostState {
  using socket = openNetlinkSocket();
  const names = [...readFileSync(INTERFACES_FILE, 'utf8').matchAll(/^\s*([^\s:]+):/gm)];
  const interfaces = new Map<string, number>();
  for (const [, name = ''] of names) {
    const link = findLink(socket, name);
    if (link !== undefined) interfaces.set(name, link.ifIndex);
  }
  const routes = socket.dump(dumpRoutes()).flatMap((payload) => decodeRoute(payload) ?? []);
  return { interfaces, routes: routes.filter(({ table }) => table === TABLE_MAIN) };
}
