/** Whether there is a Kubernetes API server that takes our credentials. */

import { deadlineIn } from '../../base/deadline.ts';
import { STATUS_ANSWER_MS } from '../budgets.ts';
import type { Job } from '../job.ts';
import { apiOf } from '../kubernetes-api.ts';

/** Throws what the API throws, and `config` for a kubeconfig or certificates that cannot be used. */
export async function askKubernetes(job: Job): Promise<void> {
  using api = apiOf(job);
  const deadline = deadlineIn(job.world.clock, STATUS_ANSWER_MS, 'STATUS');
  await (await api.open()).version(deadline);
}
