/** Makes the pod's network what its records say, or leaves it alone when it already is. */

import type { Log } from '../../base/log.ts';
import { applyPlan } from '../../network/apply-plan.ts';
import { differencesFrom } from '../../network/difference.ts';
import { formatPlan } from '../../network/format-plan.ts';
import type { Kernel } from '../../network/kernel.ts';
import { observePod } from '../../network/observe-pod.ts';
import { planPod } from '../../network/plan-pod.ts';
import type { PodNetwork } from '../../network/pod-network.ts';
import { spareFormer } from '../../network/spare-former.ts';
import type { ClaimedLinks, HostIfNames, SeenLinks } from './claim-links.ts';

/** Looks which of the names an ADD needs are taken. */
export function seeLinks(kernel: Kernel, containerIfName: string, names: HostIfNames): SeenLinks {
  const seen = [names.usual, names.alternative].map((hostIfName) =>
    observePod(kernel, { containerIfName, hostIfName }),
  );
  return {
    container: seen[0]?.container?.link,
    host: seen.flatMap(({ host, isPair }) =>
      host === undefined ? [] : [{ link: host.link, isOtherEnd: isPair }],
    ),
  };
}

/**
 * A running pod of a repeated ADD must not lose its interface, so one that is as planned is not touched. Tells whether
 * the sandbox has an interface where it had none.
 */
export function wirePod(kernel: Kernel, network: PodNetwork, claimed: ClaimedLinks, log: Log): boolean {
  if (claimed.replace.containerIfIndex !== undefined) {
    const { containerIfName, hostIfName, addresses } = network;
    const observed = observePod(kernel, { containerIfName, hostIfName, addresses });
    const missing = differencesFrom(planPod(network), observed).filter(({ isEssential }) => isEssential);
    if (missing.length === 0) return false;
    log.info('wiring the pod anew', { because: missing.map(({ object }) => object).join(', ') });
  }
  const { plan, replace } = spareFormer(kernel, network, claimed.replace);
  log.debug('wiring the pod', { plan: formatPlan(plan).join('; ') });
  for (const warning of applyPlan(kernel, plan, { replace }).warnings) log.warn(warning);
  return claimed.replace.containerIfIndex === undefined;
}
