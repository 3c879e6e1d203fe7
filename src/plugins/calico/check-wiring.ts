/** Looks whether a pod's network is still as it was made. Changes nothing. */

import type { Clock } from '../../base/deadline.ts';
import { HOST_SIDE_MAC } from '../../base/mac-address.ts';
import type { Mismatch } from '../../base/mismatch.ts';
import { podDifferences } from '../../network/check-pod.ts';
import { findLink } from '../../network/find-link.ts';
import type { Kernel } from '../../network/kernel.ts';
import { observeAttachment } from '../../network/observe-attachment.ts';
import { planPod } from '../../network/plan-pod.ts';
import type { Tuning } from '../../network/read-tuning.ts';
import type { Job } from '../job.ts';
import { expectedNetwork, type MadeAttachment } from './made-attachment.ts';

/** Felix may be replacing a route at this moment, or the kernel be looking for the twin of an IPv6 address. */
const LOOKS = 6;
const PAUSE_MS = 200;

/** What is wrong and stays wrong for a second. Throws {@link KernelError} when the kernel does not answer. */
export async function checkWiring(
  job: Job,
  kernel: Kernel,
  made: MadeAttachment,
  tuning: Tuning,
): Promise<readonly Mismatch[]> {
  for (let look = 1; ; look++) {
    const differences = lookOnce(job, kernel, made, tuning);
    if (differences.length === 0 || look === LOOKS) return differences;
    await pause(job.world.clock);
  }
}

function lookOnce(job: Job, kernel: Kernel, made: MadeAttachment, tuning: Tuning): readonly Mismatch[] {
  const macNow = findLink(kernel.pod, job.ids.ifName)?.mac ?? HOST_SIDE_MAC;
  const plan = planPod(expectedNetwork(job, made, macNow));
  return podDifferences(plan, observeAttachment(kernel, plan), tuning);
}

function pause(clock: Clock): Promise<void> {
  return clock.sleep(PAUSE_MS);
}
