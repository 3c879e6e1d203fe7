/** STATUS of the IPAM plugin: whether there is an address left for this node. */

import type { CniCall } from '../../cni/dispatch.ts';
import { STATUS_ANSWER_MS } from '../budgets.ts';
import { type Job, loggingFailure, prepareJob } from '../job.ts';
import { askDatastore } from '../status/ask-datastore.ts';
import { askKubernetes } from '../status/ask-kubernetes.ts';
import { notReady, refuseUnlessReady, unlessWrongCall } from '../status/not-ready.ts';
import type { World } from '../world.ts';

export async function status(call: CniCall, world: World): Promise<undefined> {
  const job = prepare(call, world);
  await loggingFailure(job, () => askAll(job));
}

async function askAll(job: Job): Promise<void> {
  const questions = [askDatastore(job, true), ...(job.conf.policyType === 'k8s' ? [askKubernetes(job)] : [])];
  const answers = await Promise.allSettled(questions);
  refuseUnlessReady(
    answers.flatMap((answer) => (answer.status === 'rejected' ? [notReady(answer.reason)] : [])),
  );
}

function prepare(call: CniCall, world: World): Job {
  try {
    return prepareJob(call, world, STATUS_ANSWER_MS);
  } catch (error) {
    throw unlessWrongCall(error);
  }
}
