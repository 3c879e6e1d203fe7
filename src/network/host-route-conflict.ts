/** The error of a host route that another interface has. */

import { CalicoError } from '../base/calico-error.ts';
import { formatCidr } from '../base/cidr.ts';
import { findLinkAt } from './find-link.ts';
import { type Route, SCOPE_GLOBAL, SCOPE_LINK } from './netlink/route.ts';
import type { NetlinkSocket } from './netlink/socket.ts';
import type { AddRoute } from './plan-pod.ts';

/** The error that names the interface which wants the route and the one which has it. */
export function hostRouteConflict(
  host: NetlinkSocket,
  step: AddRoute,
  ifIndex: number,
  existing: Route,
): CalicoError {
  const wanted = `route (Ifindex: ${ifIndex}, Dst: ${formatCidr(step.destination)}, Scope: ${step.scope})`;
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
