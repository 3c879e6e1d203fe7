/** Refuses to work on the namespace the plugin itself runs in: it would rewire the host. */

import { CalicoError, isCalicoError } from '../base/calico-error.ts';
import type { CniCall } from '../cni/dispatch.ts';
import { isSameNetns, openNetnsIfPresent, ownNetns } from '../network/netns.ts';

/** Runs before anything else (Calico's plugin asks when all is done). A path that is no namespace is the verb's business. */
export async function guardNetns(call: CniCall): Promise<void> {
  if (call.netnsPath === '' || call.netnsOverride) return;
  try {
    using pod = openNetnsIfPresent(call.netnsPath);
    using own = ownNetns();
    if (pod === undefined || !isSameNetns(pod, own)) return;
  } catch (error) {
    if (isCalicoError(error, 'netns')) return;
    throw error;
  }
  throw new CalicoError('netns', "plugin's netns and netns from CNI_NETNS should not be the same", {
    details: `CNI_NETNS ${call.netnsPath} is the host's own network namespace; set CNI_NETNS_OVERRIDE=1 if it really is meant`,
  });
}
