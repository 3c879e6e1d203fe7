/** What an agent has made in the kernel of its host, as steps that take it away: routes before the devices they use. Pure. */

import { IPIP_DEVICE, VXLAN_DEVICES } from '../desired/desired-host.ts';
import { FELIX_PROTOCOL, ROUTE_PROTOCOL } from '../host-route.ts';
import type { HostStep } from './host-step.ts';
import type { ObservedHost, ObservedLink } from './observed-host.ts';

export interface RemovalOptions {
  /** Also routes that a Felix which has ended left, and that no agent took over. */
  readonly takesFelixRoutes: boolean;
}

/** Entries of neighbours and of the FDB go with their device. Switches stay: others may rely on them. */
export function planRemoval(
  observed: ObservedHost,
  { takesFelixRoutes }: RemovalOptions,
): readonly HostStep[] {
  const owned = takesFelixRoutes ? [ROUTE_PROTOCOL, FELIX_PROTOCOL] : [ROUTE_PROTOCOL];
  const devices = observed.links.filter(isTunnel);
  return [
    ...observed.routes
      .filter(({ protocol }) => owned.includes(protocol))
      .map((route) => ({ do: 'delete-route', route }) as const),
    ...ipipAddresses(observed),
    ...devices.map(({ name, ifIndex }) => ({ do: 'delete-link', device: name, ifIndex }) as const),
  ];
}

function isTunnel({ name, kind }: ObservedLink): boolean {
  return kind === 'vxlan' && (name === VXLAN_DEVICES[4] || name === VXLAN_DEVICES[6]);
}

/** The device itself belongs to the kernel, and may be others' as well: then none of our routes uses it. */
function ipipAddresses({ addresses, routes }: ObservedHost): readonly HostStep[] {
  const isOurs = routes.some(({ device, protocol }) => device === IPIP_DEVICE && protocol === ROUTE_PROTOCOL);
  if (!isOurs) return [];
  return addresses
    .filter(({ device, network }) => device === IPIP_DEVICE && network.prefixLength === 32)
    .map(({ network }) => ({ do: 'delete-address', device: IPIP_DEVICE, network }));
}
