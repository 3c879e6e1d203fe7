/** Turns a step into the netlink message that does it. Pure. */

import {
  deleteAddress,
  IFA_F_NODAD,
  type InterfaceAddress,
  replaceAddress,
} from '../../network/netlink/address.ts';
import { deleteForwarding, replaceForwarding } from '../../network/netlink/fdb.ts';
import type { NetlinkRequest } from '../../network/netlink/header.ts';
import {
  addLink,
  deleteLink,
  linkAttributes,
  setLinkMac,
  setLinkMtu,
  setLinkUp,
} from '../../network/netlink/link.ts';
import { deleteNeighbour, NUD_PERMANENT, replaceNeighbour } from '../../network/netlink/neighbour.ts';
import {
  deleteRoute,
  type Route,
  replaceRoute,
  SCOPE_GLOBAL,
  SCOPE_LINK,
  TYPE_BLACKHOLE,
  TYPE_UNICAST,
} from '../../network/netlink/route.ts';
import { addVxlan } from '../../network/netlink/vxlan.ts';
import type { HostRoute } from '../host-route.ts';
import type { ChangeAddress, HostStep, StopOffload, WriteSysctl } from '../reconcile/host-step.ts';

/** The steps that are netlink messages; the others are writes to files, and a call for a device. */
export type MessageStep = Exclude<HostStep, WriteSysctl | StopOffload>;

/** Steps after which a device has another index than before. */
export function changesIndex(step: HostStep): boolean {
  return step.do === 'create-vxlan' || step.do === 'create-ipip' || step.do === 'delete-link';
}

/** The name of the interface that must be there for the step; `undefined`: none. */
export function deviceOf(step: MessageStep): string | undefined {
  switch (step.do) {
    case 'create-vxlan':
    case 'create-ipip':
    case 'delete-link':
      return undefined;
    case 'replace-neighbour':
    case 'delete-neighbour':
      return step.neighbour.device;
    case 'replace-fdb':
    case 'delete-fdb':
      return step.entry.device;
    case 'replace-route':
    case 'delete-route':
      return step.route.device;
    default:
      return step.device;
  }
}

/** The message of one step, given the index of {@link deviceOf} it. */
export function hostStepRequest(step: MessageStep, ifIndex: number): NetlinkRequest {
  switch (step.do) {
    case 'create-vxlan':
      return addVxlan({ ...step.device, parentIfIndex: step.device.parent.ifIndex });
    case 'create-ipip':
      return addLink('ipip', linkAttributes({ name: step.device }));
    case 'delete-link':
      return deleteLink(step.ifIndex);
    case 'set-mac':
      return setLinkMac(ifIndex, step.mac);
    case 'set-mtu':
      return setLinkMtu(ifIndex, step.mtu);
    case 'set-up':
      return setLinkUp(ifIndex);
    case 'add-address':
      return replaceAddress(interfaceAddress(step, ifIndex));
    case 'delete-address':
      return deleteAddress(interfaceAddress(step, ifIndex));
    case 'replace-neighbour':
      return replaceNeighbour({ ...step.neighbour, ifIndex, state: NUD_PERMANENT });
    case 'delete-neighbour':
      return deleteNeighbour(ifIndex, step.neighbour.address);
    case 'replace-fdb':
      return replaceForwarding({ ...step.entry, ifIndex });
    case 'delete-fdb':
      return deleteForwarding({ ...step.entry, ifIndex });
    case 'replace-route':
      return replaceRoute(routeOf(step.route, ifIndex));
    case 'delete-route':
      return deleteRoute(routeOf(step.route, ifIndex));
  }
}

function interfaceAddress({ network }: ChangeAddress, ifIndex: number): InterfaceAddress {
  const flags = network.address.family === 6 ? IFA_F_NODAD : 0;
  return { ifIndex, network, scope: SCOPE_GLOBAL, flags };
}

function routeOf(route: HostRoute, ifIndex: number): Route {
  const isBlackhole = route.type === 'blackhole';
  return {
    destination: route.destination,
    gateway: route.gateway,
    ifIndex: isBlackhole || route.device === undefined ? undefined : ifIndex,
    table: route.table,
    protocol: route.protocol,
    scope: route.scope === 'link' ? SCOPE_LINK : SCOPE_GLOBAL,
    type: isBlackhole ? TYPE_BLACKHOLE : TYPE_UNICAST,
    metric: route.metric === 0 ? undefined : route.metric,
    isOnLink: route.isOnLink,
    mtu: route.mtu,
    source: route.source,
  };
}
