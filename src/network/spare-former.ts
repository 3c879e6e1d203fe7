/** Chooses between the two ways to wire a pod, so that the interface of an earlier sandbox works on until the end. */

import { HOST_SIDE_MAC } from '../base/mac-address.ts';
import type { Replaceable } from './clear-the-way.ts';
import { findLink } from './find-link.ts';
import { refuseConflictingHostRoutes } from './host-route-conflict.ts';
import type { Kernel } from './kernel.ts';
import type { Link } from './netlink/link.ts';
import { arePair } from './other-end.ts';
import { type PodPlan, planPod } from './plan-pod.ts';
import { planSwap } from './plan-swap.ts';
import { isPodLink } from './pod-link.ts';
import type { PodNetwork } from './pod-network.ts';

/** What `applyPlan()` is to do, and what it may remove before it begins. */
export interface Wiring {
  readonly plan: PodPlan;
  readonly replace: Replaceable;
}

/**
 * The plain plan, unless the host end to be replaced belongs to another sandbox: then the plan that takes its place
 * last. Asks the kernel nothing when no host end is to be replaced. Throws `network` when the plan could only fail
 * after the earlier sandbox has lost its network.
 */
export function spareFormer(kernel: Kernel, network: PodNetwork, replace: Replaceable): Wiring {
  const former = formerHostEnd(kernel, network, replace);
  if (former === undefined) return { plan: planPod(network), replace };
  const plan = planSwap(network, former.ifIndex);
  refuseConflictingHostRoutes(kernel.host, plan.steps, former.ifIndex);
  const leftover = leftoverOf(kernel, plan.pair.hostIfName);
  return { plan, replace: { ...replace, hostIfIndex: leftover?.ifIndex } };
}

/** The host end to be replaced, if it is not the other end of an interface in this sandbox that is replaced as well. */
function formerHostEnd(
  kernel: Kernel,
  { containerIfName, hostIfName }: PodNetwork,
  replace: Replaceable,
): Link | undefined {
  if (replace.hostIfIndex === undefined) return undefined;
  const host = findLink(kernel.host, hostIfName);
  if (host?.ifIndex !== replace.hostIfIndex) return undefined;
  const container =
    replace.containerIfIndex === undefined ? undefined : findLink(kernel.pod, containerIfName);
  return container !== undefined && arePair(kernel, container, host) ? undefined : host;
}

/**
 * What a killed ADD left under the temporary name. One that is in use, or looks like anything else, is not ours: it
 * stays, and is reported as in the way.
 */
function leftoverOf({ host }: Kernel, temporaryName: string): Link | undefined {
  const link = findLink(host, temporaryName);
  const isOurs = link !== undefined && isPodLink(link) && link.mac === HOST_SIDE_MAC && !link.isUp;
  return isOurs ? link : undefined;
}
