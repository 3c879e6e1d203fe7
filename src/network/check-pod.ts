/**
 * What is wrong with a pod's network, for CHECK. It compares with the plan of an ADD, less what others may change and
 * what a pod does well without: one that Calico's own plugin made is as healthy as one of ours. Pure.
 */

import { sameCidr } from '../base/cidr.ts';
import { sameAddress } from '../base/ip-address.ts';
import { HOST_SIDE_MAC } from '../base/mac-address.ts';
import { type Difference, differencesFrom } from './difference.ts';
import type { Neighbour } from './netlink/neighbour.ts';
import { NUD_PERMANENT } from './netlink/neighbour.ts';
import { TABLE_MAIN } from './netlink/route.ts';
import { type ObservedAttachment, sysctlName } from './observe-attachment.ts';
import type { AddNeighbour, AddRoute, CreatePair, PodPlan, Step, WriteSysctl } from './plan-pod.ts';
import type { Tuning } from './read-tuning.ts';

/** Nothing when the pod's network works as its ADD has made it. */
export function podDifferences(
  plan: PodPlan,
  observed: ObservedAttachment,
  tuning: Tuning,
): readonly Difference[] {
  const differences = differencesFrom(healthyPlan(plan, observed, tuning), observed);
  if (observed.container === undefined || observed.host === undefined) return differences;
  return [...differences, ...plan.steps.flatMap((step) => sysctlDifference(step, observed) ?? [])];
}

/** The plan as far as this very pod must meet it. */
function healthyPlan(plan: PodPlan, observed: ObservedAttachment, tuning: Tuning): PodPlan {
  return {
    pair: healthyPair(plan.pair, observed, tuning),
    steps: plan.steps.filter((step) => isNeeded(step, observed)),
  };
}

/**
 * Both ends have one MTU, be it the plan's or, where the result of the ADD does not tell it, the host end's; unless
 * `tuning` gave the pod's end another one. The host end's MAC matters to pods that were told it for good.
 */
function healthyPair(pair: CreatePair, observed: ObservedAttachment, { formerMtu }: Tuning): CreatePair {
  const host = observed.host?.link;
  const reliesOnMac = observed.container?.neighbours.some(
    (neighbour) => isPermanent(neighbour) && neighbour.mac === HOST_SIDE_MAC,
  );
  return {
    ...pair,
    mtu: formerMtu === undefined ? (pair.mtu ?? host?.mtu) : undefined,
    hostMac: reliesOnMac ? HOST_SIDE_MAC : (host?.mac ?? HOST_SIDE_MAC),
  };
}

function isNeeded(step: Step, observed: ObservedAttachment): boolean {
  switch (step.do) {
    case 'add-neighbour':
      return isEntryNeeded(step, observed);
    case 'add-route':
      return step.where === 'host' || !goesElsewhere(step, observed);
    default:
      return true;
  }
}

/** A pod without an entry asks for its gateway: IPv6 always gets an answer, IPv4 where the host has a way to it. */
function isEntryNeeded({ address }: AddNeighbour, observed: ObservedAttachment): boolean {
  const { container, host, gatewayRoute } = observed;
  const isToldForGood = container?.neighbours.some(
    (neighbour) => isPermanent(neighbour) && sameAddress(neighbour.address, address),
  );
  if (isToldForGood || address.family === 6) return isToldForGood === true;
  return gatewayRoute === undefined || gatewayRoute.ifIndex === host?.link.ifIndex;
}

/** Whoever gave a pod a way of another interface, or put its routes into another table, meant it. */
function goesElsewhere({ destination }: AddRoute, { container, podRoutes }: ObservedAttachment): boolean {
  return podRoutes.some(
    (route) =>
      sameCidr(route.destination, destination) &&
      (route.table !== TABLE_MAIN || route.ifIndex !== container?.link.ifIndex),
  );
}

function isPermanent({ state }: Neighbour): boolean {
  return (state & NUD_PERMANENT) !== 0;
}

/**
 * What an ADD may go without, CHECK does not insist on. Forwarding inside the pod is off to begin with, and a workload
 * that forwards turns it on for itself.
 */
function sysctlDifference(step: Step, { sysctls }: ObservedAttachment): Difference | undefined {
  if (step.do !== 'write-sysctl' || step.onFailure === 'warn') return undefined;
  const found = sysctls.get(sysctlName(step));
  if (found === step.value || (step.where === 'pod' && isForwardingOff(step))) return undefined;
  const object = `sysctl ${step.key} ${step.where === 'pod' ? 'in the sandbox' : 'on the host'}`;
  return { object, expected: step.value, found: found ?? 'missing', isEssential: true };
}

function isForwardingOff({ key, value }: WriteSysctl): boolean {
  return value === '0' && (key.endsWith('/forwarding') || key.endsWith('/ip_forward'));
}
