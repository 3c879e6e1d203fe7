/**
 * Routes to pods of this host that somebody has taken away. The CNI plugin makes them, a moment after it has written the
 * endpoint and made the interface, so only what is missing for longer than that is made again. Pure.
 */

import { type HostRoute, routeKey } from '../host-route.ts';

/** From an interface to its routes; a plugin that takes longer finds its route made. */
export const POD_PATIENCE_MS = 300;

/** When each was first missing, in milliseconds, by the key of the route. */
export type MissingSince = ReadonlyMap<string, number>;

export interface LostPodRoutes {
  /** To be made again. */
  readonly lost: readonly HostRoute[];
  /** With those, which stay until they are seen to be there. */
  readonly missingSince: MissingSince;
  /** Whether others are missing, which the CNI plugin may still be about to make: to be looked at again. */
  readonly isPluginAwaited: boolean;
}

/**
 * `podRoutes`: to pods whose interface is up; `found`: all of the main table, just read. Whoever has made a route to the
 * address, and wherever it leads, it is left alone: through another interface may be a sandbox that is about to take over.
 */
export function lostPodRoutes(
  podRoutes: readonly HostRoute[],
  found: readonly HostRoute[],
  before: MissingSince,
  nowMs: number,
): LostPodRoutes {
  const places = new Set(found.map(placeOf));
  const missing = podRoutes.filter((route) => !places.has(placeOf(route)));
  const sinceMs = (route: HostRoute) => before.get(routeKey(route)) ?? nowMs;
  const lost = missing.filter((route) => nowMs - sinceMs(route) >= POD_PATIENCE_MS);
  return {
    lost,
    missingSince: new Map(missing.map((route) => [routeKey(route), sinceMs(route)])),
    isPluginAwaited: lost.length < missing.length,
  };
}

function placeOf({ table, destination: { family, base, prefixLength } }: HostRoute): string {
  return `${table} ${family} ${base} ${prefixLength}`;
}
