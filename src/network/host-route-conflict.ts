/** Host routes that another interface has. */

import { CalicoError } from '../base/calico-error.ts';
import { formatCidr, sameCidr } from '../base/cidr.ts';
import { findLinkAt } from './find-link.ts';
import {
  decodeRoute,
  dumpRoutes,
  metricOf,
  PROTOCOL_NODE_AGENT,
  type Route,
  SCOPE_GLOBAL,
  SCOPE_LINK,
  TABLE_MAIN,
} from './netlink/route.ts';
import type { NetlinkSocket } from './netlink/socket.ts';
import type { AddRoute, Step } from './plan-pod.ts';

/**
 * Throws if the kernel would refuse one of the plan's host routes because the table has it already. Those of the
 * former interface do not count: they go with it; nor do those that give way. Reads the whole table, once.
 */
export function refuseConflictingHostRoutes(
  host: NetlinkSocket,
  steps: readonly Step[],
  formerIfIndex: number,
): void {
  const wanted = steps.filter((step) => step.do === 'add-route').filter(({ where }) => where === 'host');
  if (wanted.length === 0) return;
  const others = host
    .dump(dumpRoutes())
    .map(decodeRoute)
    .filter((route) => route !== undefined)
    .filter(({ table, ifIndex }) => table === TABLE_MAIN && ifIndex !== formerIfIndex)
    .filter((route) => !givesWay(route));
  for (const step of wanted) {
    const existing = others.find((route) => excludes(route, step));
    if (existing !== undefined) throw hostRouteConflict(host, step, undefined, existing);
  }
}

/**
 * Whether the route is the node agent's, to a pod on another host: it has not heard yet that the address has moved here,
 * and takes the route back as soon as it does.
 */
export function givesWay({ protocol }: Route): boolean {
  return protocol === PROTOCOL_NODE_AGENT;
}

/** Routes of different metrics can be side by side. */
function excludes(existing: Route, { destination }: AddRoute): boolean {
  return (
    sameCidr(existing.destination, destination) &&
    metricOf(existing) === metricOf({ destination, metric: undefined })
  );
}

/**
 * The error that names the interface which wants the route and the one which has it.
 *
 * @param ifIndex of the one that wants it; `undefined` when it is not made yet
 */
export function hostRouteConflict(
  host: NetlinkSocket,
  step: AddRoute,
  ifIndex: number | undefined,
  existing: Route,
): CalicoError {
  const index = ifIndex === undefined ? '' : `Ifindex: ${ifIndex}, `;
  const wanted = `route (${index}Dst: ${formatCidr(step.destination)}, Scope: ${step.scope})`;
  return new CalicoError(
    'network',
    `error adding host side routes for interface: ${step.ifName}, error: ${wanted} already exists for an interface other than '${step.ifName}': ${describeRoute(host, existing)}`,
    {
      details:
        'another workload or a left-over interface has this address on this node: delete that interface, or release the address',
    },
  );
}

function describeRoute(host: NetlinkSocket, route: Route): string {
  const ifName = route.ifIndex === undefined ? undefined : findLinkAt(host, route.ifIndex)?.name;
  const parts = [
    `Ifindex: ${route.ifIndex ?? 0}`,
    `Dst: ${formatCidr(route.destination)}`,
    `Scope: ${scopeName(route.scope)}`,
    ...(ifName === undefined ? [] : [`Iface: ${ifName}`]),
  ];
  return `route (${parts.join(', ')})`;
}

function scopeName(scope: number): string {
  switch (scope) {
    case SCOPE_GLOBAL:
      return 'universe';
    case SCOPE_LINK:
      return 'link';
    default:
      return String(scope);
  }
}
