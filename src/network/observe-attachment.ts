/** Looks at all of a pod's network that a CHECK compares. Changes nothing. */

import { baseAddress, type Cidr } from '../base/cidr.ts';
import { findRoute, searchHostRoute } from './find-route.ts';
import type { Kernel } from './kernel.ts';
import { decodeRoute, dumpRoutes, type Route } from './netlink/route.ts';
import { inNetns } from './netns.ts';
import { type ObservedPod, observePod } from './observe-pod.ts';
import type { AddRoute, PodPlan, Step, Where, WriteSysctl } from './plan-pod.ts';
import { POD_GATEWAY_V4 } from './pod-network.ts';
import { readSysctl } from './read-sysctl.ts';

export interface ObservedAttachment extends ObservedPod {
  /** Every route of the pod: of all interfaces and tables. */
  readonly podRoutes: readonly Route[];
  /** Values of the plan's switches by {@link sysctlName}; those that do not exist are missing. */
  readonly sysctls: ReadonlyMap<string, string>;
  /** The host's way to the pod's IPv4 gateway, which exists nowhere: with one, proxy ARP answers for it. */
  readonly gatewayRoute: Route | undefined;
}

/** Throws {@link KernelError} when the kernel does not answer, and what node:fs throws. */
export function observeAttachment(kernel: Kernel, plan: PodPlan): ObservedAttachment {
  const { containerIfName, hostIfName } = plan.pair;
  const destinations = plan.steps.filter(isHostRoute).map(({ destination }) => destination);
  return {
    ...observePod(kernel, { containerIfName, hostIfName }),
    hostRoutes: destinations.flatMap((destination) => searchRoute(kernel, destination) ?? []),
    podRoutes: kernel.pod.dump(dumpRoutes()).flatMap((entry) => decodeRoute(entry) ?? []),
    sysctls: new Map([
      ...readSysctls(plan, 'host'),
      ...inNetns(kernel.podNetns, () => readSysctls(plan, 'pod')),
    ]),
    gatewayRoute: findRoute(kernel.host, POD_GATEWAY_V4),
  };
}

/** `pod net/ipv4/ip_forward` */
export function sysctlName({ where, key }: Pick<WriteSysctl, 'where' | 'key'>): string {
  return `${where} ${key}`;
}

function isHostRoute(step: Step): step is AddRoute {
  return step.do === 'add-route' && step.where === 'host';
}

function searchRoute(kernel: Kernel, destination: Cidr): Route | undefined {
  return searchHostRoute(kernel.host, baseAddress(destination));
}

function readSysctls(plan: PodPlan, where: Where): readonly (readonly [string, string])[] {
  return plan.steps.flatMap((step) => {
    if (step.do !== 'write-sysctl' || step.where !== where) return [];
    const value = readSysctl(step.key);
    return value === undefined ? [] : [[sysctlName(step), value] as const];
  });
}
