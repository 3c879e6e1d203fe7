/** What to make of a host route that exists before it could be added. */

import { CalicoError } from '../base/calico-error.ts';
import { baseAddress, formatCidr } from '../base/cidr.ts';
import { findLinkAt } from './find-link.ts';
import { searchHostRoute } from './find-route.ts';
import { type Route, SCOPE_GLOBAL, SCOPE_LINK } from './netlink/route.ts';
import type { NetlinkSocket } from './netlink/socket.ts';
import type { AddRoute } from './plan-pod.ts';

/**
 * `undefined` when the route that is there goes to this very interface: Felix may have been faster. Else the
 * error that names both interfaces; a route of another interface is never taken over.
 */
export function hostRouteConflict(
  host: NetlinkSocket,
  step: AddRoute,
  ifIndex: number,
): CalicoError | undefined {
  const existing = searchHostRoute(host, baseAddress(step.destination));
  if (existing?.ifIndex === ifIndex) return undefined;
  const wanted = `route (Ifindex: ${ifIndex}, Dst: ${formatCidr(step.destination)}, Scope: ${step.scope})`;
  const owner = existing === undefined ? 'route vanished meanwhile' : describeRoute(host, existing);
  return new CalicoError(
    'network',
    `error adding host side routes for interface: ${step.ifName}, error: ${wanted} already exists for an interface other than '${step.ifName}': ${owner}`,
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
