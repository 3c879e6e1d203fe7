/**
 * CHECK: whether all that an ADD has made is still there: the network, the records, the addresses. It compares with the
 * result of the whole chain, asks neither Kubernetes nor for a lock, changes nothing, and says all it finds.
 */

import { errorText } from '../../base/calico-error.ts';
import type { Mismatch } from '../../base/mismatch.ts';
import type { CniCall } from '../../cni/dispatch.ts';
import { readAll } from '../../datastore/read-all.ts';
import { type Kernel, openKernel } from '../../network/kernel.ts';
import { readTuning } from '../../network/read-tuning.ts';
import { askedAllocation } from '../asked-allocation.ts';
import { CHECK_BUDGET_MS } from '../budgets.ts';
import { closeQuietly, type Job, loggingFailure, openStore, prepareJob } from '../job.ts';
import { requirePrevResult } from '../prev-result.ts';
import { requireNoMismatch } from '../require-no-mismatch.ts';
import type { World } from '../world.ts';
import { checkWiring } from './check-wiring.ts';
import { type CheckInputs, checkRanges, decideCheck } from './decide-check.ts';
import { checkWithDelegate, ipamPlugin } from './delegates.ts';
import { madeAttachment } from './made-attachment.ts';
import { hostIfNames } from './pod-network.ts';

export async function check(call: CniCall, world: World): Promise<undefined> {
  const job = prepareJob(call, world, CHECK_BUDGET_MS);
  await loggingFailure(job, () => compare(job));
}

async function compare(job: Job): Promise<void> {
  const plugin = ipamPlugin(job);
  const inputs = checkInputs(job, plugin === 'own');
  using kernel = openWiring(job);
  const records = await checkRecords(job, inputs);
  const wiring = kernel === undefined ? [] : await checkWiring(job, kernel, inputs.made, inputs.tuning);
  const found = [...wiring, ...records];
  const isDelegated = plugin !== 'own' && !inputs.mayBeWithoutIpam;
  requireNoMismatch([
    ...found,
    ...(isDelegated ? await askDelegate(job, plugin.path, found.length > 0) : []),
  ]);
  job.log.debug('all is as it was made', { milliseconds: job.elapsedMs(), phases: job.phases.toString() });
}

function checkInputs(job: Job, isOwnIpam: boolean): CheckInputs {
  const { call, conf, ids } = job;
  const made = madeAttachment(requirePrevResult(call.conf), call.ifName, hostIfNames(job));
  return {
    ids,
    made,
    tuning: readTuning(ids.containerId, ids.ifName),
    profile: conf.policyType === undefined ? conf.name : undefined,
    allocation: isOwnIpam ? askedAllocation(job, made.addresses) : undefined,
    // Only Kubernetes knows which pods these are.
    mayBeWithoutIpam: conf.features.ipAddrsNoIpam && ids.podName !== undefined && !made.hasIpamRoutes,
  };
}

/** `undefined` where the network is another program's. Throws `netns` when the sandbox is gone. */
function openWiring({ conf, call }: Job): Kernel | undefined {
  return conf.dataplane.type === 'grpc' ? undefined : openKernel(call.netnsPath);
}

async function checkRecords(job: Job, inputs: CheckInputs): Promise<readonly Mismatch[]> {
  const store = await openStore(job);
  try {
    return decideCheck(inputs, await readAll(store, checkRanges(inputs), job.deadline), job.log.warn);
  } finally {
    await closeQuietly(store, job.log);
  }
}

/** Where it alone finds something, its own words are the answer. */
async function askDelegate(job: Job, path: string, isMoreWrong: boolean): Promise<readonly Mismatch[]> {
  try {
    await checkWithDelegate(job, path);
    return [];
  } catch (error) {
    if (!isMoreWrong) throw error;
    return [{ object: `IPAM plugin ${path}`, expected: 'a CHECK without error', found: errorText(error) }];
  }
}
