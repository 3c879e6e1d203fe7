/**
 * Makes a pod's network as planned. Synchronous: nothing else of this process happens in between. Steps that
 * follow each other in one namespace share one trip to the kernel. After a failure nothing of the pair is left.
 */

import { CalicoError, errorText } from '../base/calico-error.ts';
import { baseAddress } from '../base/cidr.ts';
import { clearTheWay, nameConflict, type Replaceable } from './clear-the-way.ts';
import { deleteLinkIfPresent, findLink } from './find-link.ts';
import { searchHostRoute } from './find-route.ts';
import { givesWay, hostRouteConflict } from './host-route-conflict.ts';
import type { Kernel } from './kernel.ts';
import { isKernelError, type KernelError } from './kernel-error.ts';
import { replaceRoute } from './netlink/route.ts';
import { inNetns } from './netns.ts';
import {
  type AddRoute,
  asVethPair,
  type CreatePair,
  type PodPlan,
  type Where,
  type WriteSysctl,
} from './plan-pod.ts';
import { stepFailure } from './step-failure.ts';
import { type NetlinkStep, pairRequest, stepRequest, stepRoute } from './step-request.ts';
import { type Trip, trips } from './trips.ts';
import { writeSysctl } from './write-sysctl.ts';

export interface ApplyOptions {
  readonly replace?: Replaceable;
}

export interface AppliedPod {
  readonly containerIfIndex: number;
  readonly hostIfIndex: number;
  /** Steps that failed but may, as text. */
  readonly warnings: readonly string[];
  /** Removes the pair again, and with it its addresses and routes. Needs the kernel still open. */
  undo(): void;
}

/**
 * Creates the pair and takes every step. An interface in the way is removed only if `replace` names its index, and
 * then first; `spareFormer()` tells which one can stay until the end. A kernel without netkit gets a veth pair instead,
 * with a warning. Throws `network` for whatever else the kernel refuses.
 */
export function applyPlan(kernel: Kernel, plan: PodPlan, { replace = {} }: ApplyOptions = {}): AppliedPod {
  clearTheWay(kernel, plan.pair, replace);
  const instead = createPair(kernel, plan.pair);
  try {
    const ends = lookUpEnds(kernel, plan.pair);
    const refused = trips(plan.steps).flatMap((trip) => makeTrip(kernel, trip, ends));
    const undo = () => deleteLinkIfPresent(kernel.pod, ends.containerIfIndex);
    return { ...ends, warnings: [...instead, ...refused], undo };
  } catch (error) {
    throw afterRemoval(kernel, plan.pair, error);
  }
}

interface Ends {
  readonly containerIfIndex: number;
  readonly hostIfIndex: number;
}

/** Gives the reason, as a warning, when it has become a veth pair. */
function createPair(kernel: Kernel, pair: CreatePair): readonly string[] {
  const netnsFds = { pod: kernel.podNetns.fd, host: kernel.hostNetns.fd };
  try {
    kernel[pair.where].change(pairRequest(pair, netnsFds));
    return [];
  } catch (error) {
    if (pair.kind === 'netkit' && isKernelError(error, UNKNOWN_KIND)) {
      createPair(kernel, asVethPair(pair));
      return [noNetkit(pair, error)];
    }
    const conflict = isKernelError(error, 'EEXIST') ? nameConflict(kernel, pair) : undefined;
    throw conflict ?? stepFailure(pair, error);
  }
}

/** EOPNOTSUPP, as Node.js calls it. */
const UNKNOWN_KIND = 'ENOTSUP';

function noNetkit({ containerIfName, hostIfName }: CreatePair, error: KernelError): string {
  return `the kernel has no netkit devices, so ${containerIfName} and ${hostIfName} are a veth pair: ${error.message}`;
}

function lookUpEnds(kernel: Kernel, pair: CreatePair): Ends {
  const container = findLink(kernel.pod, pair.containerIfName);
  if (container?.peerIfIndex !== undefined) {
    return { containerIfIndex: container.ifIndex, hostIfIndex: container.peerIfIndex };
  }
  throw stepFailure(pair, new Error('it is gone right after it was made'));
}

function makeTrip(kernel: Kernel, trip: Trip, ends: Ends): readonly string[] {
  const where = trip[0]?.where ?? 'host';
  const sysctls = trip.filter((step) => step.do === 'write-sysctl');
  const messages = trip.filter((step) => step.do !== 'write-sysctl');
  if (messages.length > 0) sendMessages(kernel, where, messages, ends);
  if (sysctls.length === 0) return [];
  return where === 'host' ? writeSysctls(sysctls) : inNetns(kernel.podNetns, () => writeSysctls(sysctls));
}

/** The failures that may be, as warnings. */
function writeSysctls(steps: readonly WriteSysctl[]): readonly string[] {
  return steps.flatMap((step) => {
    try {
      writeSysctl(step.key, step.value);
      return [];
    } catch (error) {
      const failure = stepFailure(step, error);
      if (step.onFailure === 'fail') throw failure;
      return [failure.message];
    }
  });
}

function sendMessages(kernel: Kernel, where: Where, steps: readonly NetlinkStep[], ends: Ends): void {
  const ifIndex = where === 'host' ? ends.hostIfIndex : ends.containerIfIndex;
  const outcomes = kernel[where].changeAll(steps.map((step) => stepRequest(step, ifIndex)));
  for (const [index, step] of steps.entries()) {
    const failure = outcomes[index] && messageFailure(kernel, step, outcomes[index], ifIndex);
    if (failure !== undefined) throw failure;
  }
}

/**
 * `undefined` when what the step wanted is there nevertheless: Felix may have been faster with a host route. A route of
 * another interface is only taken over if it is the node agent's.
 */
function messageFailure(
  kernel: Kernel,
  step: NetlinkStep,
  error: KernelError,
  ifIndex: number,
): CalicoError | undefined {
  if (step.do === 'delete-link' && error.code === 'ENODEV') return undefined;
  if (step.do === 'add-route' && step.where === 'host' && error.code === 'EEXIST') {
    const existing = searchHostRoute(kernel.host, baseAddress(step.destination));
    if (existing?.ifIndex === ifIndex && !givesWay(existing)) return undefined;
    if (existing !== undefined && givesWay(existing)) return replaceHostRoute(kernel, step, ifIndex);
    if (existing !== undefined) return hostRouteConflict(kernel.host, step, ifIndex, existing);
  }
  return stepFailure(step, error, ifIndex);
}

function replaceHostRoute({ host }: Kernel, step: AddRoute, ifIndex: number): CalicoError | undefined {
  try {
    host.change(replaceRoute(stepRoute(step, ifIndex)));
    return undefined;
  } catch (error) {
    return stepFailure(step, error, ifIndex);
  }
}

/**
 * Removes the pair and gives back the error that made it necessary. The pair was made exclusively a moment
 * ago, so its name is proof enough.
 */
function afterRemoval(kernel: Kernel, pair: CreatePair, error: unknown): unknown {
  try {
    const container = findLink(kernel.pod, pair.containerIfName);
    if (container !== undefined) deleteLinkIfPresent(kernel.pod, container.ifIndex);
    return error;
  } catch (second) {
    const details = `and the interface ${pair.containerIfName} could not be removed: ${errorText(second)}`;
    return new CalicoError('network', errorText(error), { details, cause: error });
  }
}
