/** Compares a planned pod network with an observed one, for a repeated ADD and for CHECK. Pure. */

import { formatCidr, formatIpNetwork, sameCidr } from '../base/cidr.ts';
import { formatIpAddress, sameAddress } from '../base/ip-address.ts';
import { IFA_F_DADFAILED, IFA_F_TENTATIVE } from './netlink/address.ts';
import { NUD_PERMANENT } from './netlink/neighbour.ts';
import type { Route } from './netlink/route.ts';
import type { ObservedEnd, ObservedPod } from './observe-pod.ts';
import type { AddAddress, AddNeighbour, AddRoute, CreatePair, PodPlan, Step } from './plan-pod.ts';
import { isPodLink } from './pod-link.ts';

export interface Difference {
  /** What it is about: `interface eth0`, `route 0.0.0.0/0 of eth0`. */
  readonly object: string;
  readonly expected: string;
  readonly found: string;
  /** Whether the pod's traffic needs it. A pod made by another plugin may lack the rest. */
  readonly isEssential: boolean;
}

/** Nothing when the pod is wired as planned. Switches under /proc/sys are not compared. */
export function differencesFrom(plan: PodPlan, observed: ObservedPod): readonly Difference[] {
  const ends = endDifferences(plan.pair, observed);
  if (observed.container === undefined || observed.host === undefined) return ends;
  return [...ends, ...plan.steps.flatMap((step) => stepDifference(step, observed) ?? [])];
}

function endDifferences(pair: CreatePair, observed: ObservedPod): readonly Difference[] {
  const container = `interface ${pair.containerIfName} in the sandbox`;
  const host = `interface ${pair.hostIfName} on the host`;
  const areBothThere = observed.container !== undefined && observed.host !== undefined;
  return [
    ...linkDifferences(container, observed.container, pair, pair.containerMac, true),
    ...linkDifferences(host, observed.host, pair, pair.hostMac, false),
    ...(areBothThere && !observed.isPair
      ? [essential(container, `the other end of ${pair.hostIfName}`, 'the end of another pair')]
      : []),
  ];
}

function linkDifferences(
  object: string,
  end: ObservedEnd | undefined,
  pair: CreatePair,
  mac: string,
  isMacEssential: boolean,
): readonly Difference[] {
  if (end === undefined) return [essential(object, 'present', 'missing')];
  const { link } = end;
  const expectations: readonly (readonly [string, string, string, boolean])[] = [
    // Veth and netkit serve a pod alike; a kernel without netkit makes veth of it.
    ['kind', isPodLink(link) ? link.kind : pair.kind, link.kind ?? 'physical', true],
    ['mac', mac, link.mac ?? 'none', isMacEssential],
    // A pod works with another MTU as well; to change it is no reason to take its interface away.
    ['mtu', String(pair.mtu ?? link.mtu), String(link.mtu), false],
  ];
  return expectations
    .filter(([, expected, found]) => expected !== found)
    .map(([what, expected, found, isEssential]) => ({
      object,
      expected: `${what} ${expected}`,
      found: `${what} ${found}`,
      isEssential,
    }));
}

function stepDifference(step: Step, observed: ObservedPod): Difference | undefined {
  const end = observed[step.where === 'pod' ? 'container' : 'host'];
  switch (step.do) {
    case 'set-up':
      return end?.link.isUp ? undefined : essential(`interface ${step.ifName}`, 'up', 'down');
    case 'add-address':
      return addressDifference(step, end);
    case 'add-neighbour':
      return neighbourDifference(step, observed);
    case 'add-route':
      return routeDifference(step, observed);
    case 'write-sysctl':
    case 'delete-link':
    case 'rename-link':
      return undefined;
  }
}

function addressDifference(step: AddAddress, end: ObservedEnd | undefined): Difference | undefined {
  const object = `address ${formatIpNetwork(step.network)} of ${step.ifName}`;
  const found = end?.addresses.find(
    ({ network }) =>
      network.prefixLength === step.network.prefixLength &&
      sameAddress(network.address, step.network.address),
  );
  if (found === undefined) return essential(object, 'present', 'missing');
  if ((found.flags & IFA_F_DADFAILED) !== 0) return essential(object, 'usable', 'duplicate on the link');
  if ((found.flags & IFA_F_TENTATIVE) !== 0) return essential(object, 'usable', 'tentative');
  return undefined;
}

function neighbourDifference(step: AddNeighbour, observed: ObservedPod): Difference | undefined {
  const object = `neighbour ${formatIpAddress(step.address)} of ${step.ifName}`;
  const found = observed.container?.neighbours.find(({ address }) => sameAddress(address, step.address));
  if (found?.mac === step.mac && (found.state & NUD_PERMANENT) !== 0) return undefined;
  const expected = `${step.mac} permanent`;
  return { object, expected, found: found?.mac ?? 'missing', isEssential: false };
}

function routeDifference(step: AddRoute, observed: ObservedPod): Difference | undefined {
  const object = `${step.where === 'host' ? 'host route' : 'route'} ${formatCidr(step.destination)}`;
  const expected = formatWay(step.gateway, step.ifName);
  const routes = (step.where === 'pod' ? observed.container?.routes : observed.hostRoutes) ?? [];
  const link = (step.where === 'pod' ? observed.container : observed.host)?.link;
  const candidates = routes.filter((route) => sameCidr(route.destination, step.destination));
  const isAsPlanned = (route: Route) =>
    route.ifIndex === link?.ifIndex && sameGateway(route.gateway, step.gateway);
  if (candidates.some(isAsPlanned)) return undefined;
  const [other] = candidates;
  const found = other === undefined ? 'missing' : formatWay(other.gateway, `ifindex ${other.ifIndex ?? 0}`);
  return essential(object, expected, found);
}

function sameGateway(a: Route['gateway'], b: Route['gateway']): boolean {
  return a === undefined || b === undefined ? a === b : sameAddress(a, b);
}

function formatWay(gateway: Route['gateway'], device: string): string {
  return gateway === undefined ? `dev ${device}` : `via ${formatIpAddress(gateway)} dev ${device}`;
}

function essential(object: string, expected: string, found: string): Difference {
  return { object, expected, found, isEssential: true };
}
