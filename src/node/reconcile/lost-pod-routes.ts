/**
 * Routes to pods of this host that somebody has taken away. The CNI plugin makes them, a moment after it has written the
 * endpoint and made the interface, so only what is missing for longer than that is made again. Pure.
 */

import { type HostRoute, routeKey } from '../host-route.ts';

/** Nobody takes longer from an interface to its routes. */
export const POD_PATIENCE_MS = 300;

/** When each was first missing, in milliseconds, by the key of the route. */
export type MissingSince = ReadonlyMap<string, number>;

export interface LostPodRoutes {
  /** To be made again. */
  readonly lost: readonly HostRoute[];
  /** Those that are not to be made yet. */
  readonly waiting: MissingSince;
}

/**
 * `podRoutes`: to pods whose interface is up; `found`: all of the main table, just read. A direct route serves, whoever
 * made it and with whatever metric, also one through another interface: that is of a sandbox that is about to take over.
 */
export function lostPodRoutes(
  podRoutes: readonly HostRoute[],
  found: readonly HostRoute[],
  before: MissingSince,
  nowMs: number,
): LostPodRoutes {
  const places = new Set(found.filter(isDirect).map(placeOf));
  const missing = podRoutes.filter((route) => !places.has(placeOf(route)));
  const sinceMs = (route: HostRoute) => before.get(routeKey(route)) ?? nowMs;
  const isLost = (route: HostRoute) => nowMs - sinceMs(route) >= POD_PATIENCE_MS;
  const waiting = missing.filter((route) => !isLost(route));
  return {
    lost: missing.filter(isLost),
    waiting: new Map(waiting.map((route) => [routeKey(route), sinceMs(route)])),
  };
}

function isDirect({ type, gateway }: HostRoute): boolean {
  return type === 'unicast' && gateway === undefined;
}

function placeOf({ table, destination: { family, base, prefixLength } }: HostRoute): string {
  return `${table} ${family} ${base} ${prefixLength}`;
}
