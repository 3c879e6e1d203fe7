/**
 * Decides how a pod's network takes the place of the one an earlier sandbox of the same pod has. The name of the host
 * end is the pod's, so both cannot have it. The new pair is made under a temporary name, and all that can be done
 * without the right one is done, while the earlier sandbox still works. Pure.
 *
 * The host end stays down until it has its name: every kernel renames an interface that is down, Felix and BIRD, which
 * know interfaces by their names, never see a pod's traffic on one that they take for the node's own, and the
 * sandbox is not heard of while the earlier one is.
 */

import { type PodPlan, planPod, type Step } from './plan-pod.ts';
import type { PodNetwork } from './pod-network.ts';

/** How many characters of a host end's name tell pods apart: the hash in it. */
const DISTINCT_CHARACTERS = 11;

/**
 * The name a pod's host end has until it gets its own; at most 15 characters. It begins with another letter than
 * that, so that it has none of the prefixes by which Felix knows the interfaces of pods.
 */
export function temporaryHostIfName(hostIfName: string): string {
  const prefix = hostIfName.startsWith('n') ? 'tmp-' : 'new-';
  return prefix + hostIfName.slice(-DISTINCT_CHARACTERS);
}

/**
 * The plan of the network, in an order in which the earlier sandbox is disconnected last. What follows that is one
 * trip, a single write to the kernel: there is no moment at which this process could end between the steps.
 *
 * @param formerIfIndex of the host end that has the name
 */
export function planSwap(network: PodNetwork, formerIfIndex: number): PodPlan {
  const { hostIfName } = network;
  const temporary = temporaryHostIfName(hostIfName);
  const early = planPod({ ...network, hostIfName: temporary });
  return {
    pair: early.pair,
    steps: [
      ...early.steps.filter((step) => !needsName(step)),
      { do: 'delete-link', where: 'host', ifName: hostIfName, ifIndex: formerIfIndex },
      { do: 'rename-link', where: 'host', ifName: temporary, to: hostIfName },
      ...planPod(network).steps.filter(needsName),
    ],
  };
}

/** Switches of the host end go with it when it is renamed; its addresses and routes need it up. */
function needsName(step: Step): boolean {
  return step.where === 'host' && step.do !== 'write-sysctl';
}
