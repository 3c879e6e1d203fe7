/** Turns a step of a plan into the netlink message that does it. Pure. */

import { addAddress, IFA_F_NODAD, replaceAddress } from './netlink/address.ts';
import type { NetlinkRequest } from './netlink/header.ts';
import { addNetkitPair, addVethPair, deleteLink, renameLink, setLinkUp } from './netlink/link.ts';
import { NUD_PERMANENT, replaceNeighbour } from './netlink/neighbour.ts';
import {
  addRoute,
  PROTOCOL_BOOT,
  type Route,
  SCOPE_GLOBAL,
  SCOPE_LINK,
  TABLE_MAIN,
  TYPE_UNICAST,
} from './netlink/route.ts';
import type { AddAddress, AddRoute, CreatePair, Step, Where, WriteSysctl } from './plan-pod.ts';

/** The steps that are netlink messages; the others are writes to files. */
export type NetlinkStep = Exclude<Step, WriteSysctl>;

/** The message that makes the pair, to be sent where the step says; `netnsFds` are open descriptors of the namespaces. */
export function pairRequest(pair: CreatePair, netnsFds: Readonly<Record<Where, number>>): NetlinkRequest {
  const { mtu, queues } = pair;
  const container = { name: pair.containerIfName, mac: pair.containerMac, mtu, queues };
  const host = { name: pair.hostIfName, mac: pair.hostMac, mtu, queues };
  return pair.kind === 'netkit'
    ? addNetkitPair(host, container, netnsFds.pod)
    : addVethPair(container, host, netnsFds.host);
}

/** The message of one step, given the index of this pod's interface where the step happens. */
export function stepRequest(step: NetlinkStep, ifIndex: number): NetlinkRequest {
  switch (step.do) {
    case 'delete-link':
      return deleteLink(step.ifIndex);
    case 'rename-link':
      return renameLink(ifIndex, step.to);
    case 'set-up':
      return setLinkUp(ifIndex);
    case 'add-address':
      return addressRequest(step, ifIndex);
    case 'add-neighbour':
      return replaceNeighbour({ ifIndex, address: step.address, mac: step.mac, state: NUD_PERMANENT });
    case 'add-route':
      return addRoute(stepRoute(step, ifIndex));
  }
}

function addressRequest(step: AddAddress, ifIndex: number): NetlinkRequest {
  const flags = step.network.address.family === 6 ? IFA_F_NODAD : 0;
  const isLinkLocal = step.scope === 'link';
  const scope = isLinkLocal ? SCOPE_LINK : SCOPE_GLOBAL;
  const address = { ifIndex, network: step.network, scope, flags };
  return isLinkLocal ? replaceAddress(address) : addAddress(address);
}

/** The route of a step, over the interface of this index. */
export function stepRoute(step: AddRoute, ifIndex: number): Route {
  return {
    destination: step.destination,
    gateway: step.gateway,
    ifIndex,
    table: TABLE_MAIN,
    protocol: PROTOCOL_BOOT,
    scope: step.scope === 'link' ? SCOPE_LINK : SCOPE_GLOBAL,
    type: TYPE_UNICAST,
    metric: undefined,
  };
}
