/** Routes: what is wanted is put in place, and of the rest what is ours is taken away. Pure. */

import { formatCidr } from '../../base/cidr.ts';
import type { DesiredHost } from '../desired/desired-host.ts';
import type { Finding } from '../finding.ts';
import { type HostRoute, KERNEL_PROTOCOL, routeKey, sameRoute } from '../host-route.ts';
import { formatHostRoute } from './format-step.ts';
import type { ChangeRoute } from './host-step.ts';
import type { ObservedHost } from './observed-host.ts';
import type { DevicePlan } from './plan-devices.ts';
import type { PlanOptions } from './plan-options.ts';

export interface RoutePlan {
  /** No packet of a borrowed address goes to the owner of its block meanwhile, and gateways are known before they are used. */
  readonly replacements: readonly ChangeRoute[];
  readonly deletions: readonly ChangeRoute[];
  readonly findings: readonly Finding[];
}

export function planRoutes(
  desired: DesiredHost,
  observed: ObservedHost,
  devices: readonly DevicePlan[],
  options: PlanOptions,
): RoutePlan {
  const rules = ownership(devices, options);
  const wanted = wantedRoutes(desired, devices, options);
  const { open, rest } = unlike(wanted, observed.routes, rules.isLost);
  const found = Map.groupBy(rest, routeKey);
  const replacements: HostRoute[] = [];
  const findings: Finding[] = [];
  for (const route of open) {
    const others = found.get(routeKey(route)) ?? [];
    if (others.some((other) => sameRoute(route, other)) && !rules.isLost(route)) continue;
    const foreign = others.find((other) => !rules.mayReplace(other));
    if (foreign === undefined) replacements.push(route);
    else findings.push(foreignRoute(route, foreign));
  }
  return {
    replacements: replacements.toSorted(goesBefore).map((route) => ({ do: 'replace-route', route })),
    deletions: unwanted(rest.filter(rules.isOurs), wanted, desired.podRoutes).map((route) => ({
      do: 'delete-route',
      route,
    })),
    findings,
  };
}

/** What is in both lists as the very same value, as is the most of what was not read anew, needs no look. */
function unlike(
  wanted: readonly HostRoute[],
  found: readonly HostRoute[],
  isLost: (route: HostRoute) => boolean,
): { readonly open: readonly HostRoute[]; readonly rest: readonly HostRoute[] } {
  const alike = new Set(wanted);
  const rest = found.filter((route) => !alike.has(route) || isLost(route));
  if (found.length - rest.length === wanted.length) return { open: [], rest };
  const there = new Set(found);
  return { open: wanted.filter((route) => !there.has(route) || isLost(route)), rest };
}

function unwanted(
  ours: readonly HostRoute[],
  wanted: readonly HostRoute[],
  podRoutes: readonly HostRoute[],
): readonly HostRoute[] {
  if (ours.length === 0) return [];
  const keys = new Set(wanted.map(routeKey));
  const pods = new Map(podRoutes.map((route) => [routeKey(route), route]));
  return ours.filter((route) => {
    const pod = pods.get(routeKey(route));
    return !keys.has(routeKey(route)) && !(pod !== undefined && sameRoute(pod, route));
  });
}

/** The longer prefix, and of equals what needs no gateway. */
function goesBefore(a: HostRoute, b: HostRoute): number {
  const longer = b.destination.prefixLength - a.destination.prefixLength;
  return longer || Number(a.gateway !== undefined) - Number(b.gateway !== undefined);
}

interface Ownership {
  readonly isOurs: (route: HostRoute) => boolean;
  readonly mayReplace: (route: HostRoute) => boolean;
  /** Whether the route goes with a step that comes before. */
  readonly isLost: (route: HostRoute) => boolean;
}

/** Whatever leads to our own devices is ours, but for what the kernel puts there. What dies with a device needs no care. */
function ownership(devices: readonly DevicePlan[], options: PlanOptions): Ownership {
  const ours = new Set(
    devices.filter(({ isVxlan, isUsable }) => isVxlan && isUsable).map(({ name }) => name),
  );
  const dying = new Set(devices.filter(({ isDeleted }) => isDeleted).map(({ name }) => name));
  const losing = new Set(devices.filter(({ loses }) => loses.routes).map(({ name }) => name));
  const isOnOurs = ({ device, protocol }: HostRoute) =>
    device !== undefined && ours.has(device) && protocol !== KERNEL_PROTOCOL;
  const dies = ({ device }: HostRoute) => device !== undefined && (dying.has(device) || losing.has(device));
  const isOwned = (route: HostRoute) => options.owned.includes(route.protocol) || isOnOurs(route);
  return {
    isOurs: (route) => isOwned(route) && !dies(route),
    mayReplace: (route) => isOwned(route) || dies(route) || options.adoptable.includes(route.protocol),
    isLost: dies,
  };
}

function wantedRoutes(
  desired: DesiredHost,
  devices: readonly DevicePlan[],
  { lostPodRoutes: pods }: PlanOptions,
): readonly HostRoute[] {
  const unusable = new Set(devices.filter(({ isUsable }) => !isUsable).map(({ name }) => name));
  const routes = desired.routes.filter(({ device }) => device === undefined || !unusable.has(device));
  return pods.length === 0
    ? routes
    : [...new Map([...routes, ...pods].map((route) => [routeKey(route), route])).values()];
}

function foreignRoute(route: HostRoute, foreign: HostRoute): Finding {
  return {
    kind: 'foreign-route',
    severity: 'error',
    subject: formatCidr(route.destination),
    message:
      `the route ${formatHostRoute(foreign)} is not ours and stands where ${formatHostRoute(route)} should: it is left ` +
      'alone. Remove it, or take its destination out of the pools.',
  };
}
