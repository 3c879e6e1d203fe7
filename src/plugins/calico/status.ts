/**
 * STATUS: whether an ADD could be served now (CNI 1.1 §STATUS). Everybody an ADD depends on is asked at the same time, and
 * all that are not ready are named, in the same order every time. Nothing is written, and no lock is taken.
 */

import { CalicoError } from '../../base/calico-error.ts';
import { deadlineIn } from '../../base/deadline.ts';
import type { CniCall } from '../../cni/dispatch.ts';
import type { CniError } from '../../cni/error.ts';
import { reachDataplane } from '../../dataplane/reach-dataplane.ts';
import { parseServerAddress } from '../../dataplane/server-address.ts';
import { askGate } from '../../readiness/ask-gate.ts';
import { withoutCredentials } from '../../readiness/wait-for-gates.ts';
import { STATUS_ANSWER_MS } from '../budgets.ts';
import { type Job, loggingFailure, prepareJob } from '../job.ts';
import { askDatastore } from '../status/ask-datastore.ts';
import { askKubernetes } from '../status/ask-kubernetes.ts';
import { limitedConnectivity, notReady, refuseUnlessReady, unlessWrongCall } from '../status/not-ready.ts';
import type { World } from '../world.ts';
import { askDelegateStatus, ipamPlugin } from './delegates.ts';
import { podMtu } from './pod-network.ts';

/** A question, and what its failure means. */
interface Question {
  readonly ask: Promise<unknown>;
  readonly asError: (error: unknown) => CniError;
}

export async function status(call: CniCall, world: World): Promise<undefined> {
  const { job, plugin } = prepare(call, world);
  await loggingFailure(job, () => askAll(job, plugin));
}

async function askAll(job: Job, plugin: ReturnType<typeof ipamPlugin>): Promise<void> {
  const questions = questionsOf(job, plugin);
  const answers = await Promise.allSettled(questions.map(({ ask }) => ask));
  const reasons = answers.flatMap((answer, i) =>
    answer.status === 'rejected' ? (questions[i]?.asError(answer.reason) ?? []) : [],
  );
  job.log.debug('phases', { phases: job.phases.toString() });
  refuseUnlessReady(reasons);
}

function prepare(call: CniCall, world: World) {
  try {
    const job = prepareJob(call, world, STATUS_ANSWER_MS);
    const { dataplane } = job.conf;
    if (dataplane.type === 'grpc') parseServerAddress(dataplane.socket);
    return { job, plugin: ipamPlugin(job) };
  } catch (error) {
    throw unlessWrongCall(error);
  }
}

function questionsOf(job: Job, plugin: ReturnType<typeof ipamPlugin>): readonly Question[] {
  const { conf } = job;
  const must = (ask: Promise<unknown>): Question => ({ ask, asError: notReady });
  return [
    must(askMtuFile(job)),
    must(askDatastore(job, plugin === 'own')),
    ...(conf.policyType === 'k8s' ? [must(askKubernetes(job))] : []),
    ...conf.readinessGates.map((url) => must(requireGate(url))),
    ...(plugin === 'own' ? [] : [must(askDelegate(job, plugin.path))]),
    // Pods that run already are connected by it, too.
    ...(conf.dataplane.type === 'grpc'
      ? [
          {
            ask: reachDataplane(conf.dataplane.socket, STATUS_ANSWER_MS),
            asError: limitedConnectivity,
          },
        ]
      : []),
  ];
}

async function askMtuFile({ conf }: Job): Promise<void> {
  podMtu(conf);
}

async function requireGate(url: string): Promise<void> {
  const reason = await askGate(url, STATUS_ANSWER_MS);
  if (reason === undefined) return;
  throw new CalicoError('unavailable', `readiness gate is not ready: ${withoutCredentials(url)}: ${reason}`, {
    details: 'no pod is networked before every URL of readiness_gates answers with a status from 200 to 399',
  });
}

/** It may have others to ask itself. */
async function askDelegate(job: Job, path: string): Promise<void> {
  const deadline = deadlineIn(job.world.clock, 2 * STATUS_ANSWER_MS, 'STATUS');
  await askDelegateStatus({ ...job, deadline }, path);
}
