/**
 * ADD: gives a container an address and a network.
 *
 * Ask Kubernetes about the pod; look at the kernel; take the address and write the records in one transaction; wire. The
 * endpoint is written before the interface exists, so that policy is in place before the first packet. Whatever fails is
 * taken back in reverse order, the address last.
 */

import { formatIpNetwork } from '../../base/cidr.ts';
import { checkInterruption, unlessInterrupted } from '../../base/deadline.ts';
import type { CniCall } from '../../cni/dispatch.ts';
import type { CniResult } from '../../cni/result.ts';
import type { PodNetwork } from '../../network/pod-network.ts';
import { waitForGates } from '../../readiness/wait-for-gates.ts';
import { waitForPolicy } from '../../readiness/wait-for-policy.ts';
import { validateEndpoint } from '../../workload/validate-endpoint.ts';
import type { WorkloadEndpoint } from '../../workload/workload-endpoint.ts';
import { ADD_BUDGET_MS } from '../budgets.ts';
import { closeQuietly, type Job, loggingFailure, openStore, prepareJob } from '../job.ts';
import { apiOf, type CallApi } from '../kubernetes-api.ts';
import { isKubernetesPod, type KubernetesPod, readKubernetesPod } from '../kubernetes-pod.ts';
import { requireAsker } from '../require-asker.ts';
import { createRollback } from '../rollback.ts';
import type { World } from '../world.ts';
import { addResult, routesOf } from './add-result.ts';
import { giveAddresses } from './address-source.ts';
import { askedEndpoint } from './asked-endpoint.ts';
import type { AddOutcome } from './decide-add.ts';
import { hostIfNames, podMtu, podNetwork } from './pod-network.ts';
import { recordInterface, writeRecords } from './records.ts';
import { requireSupported } from './require-supported.ts';
import { openWiring } from './wiring.ts';

export async function add(call: CniCall, world: World): Promise<CniResult> {
  const job = prepareJob(call, world, ADD_BUDGET_MS);
  return loggingFailure(job, () => networkContainer(job));
}

async function networkContainer(job: Job): Promise<CniResult> {
  const { call, world } = job;
  const names = hostIfNames(job);
  requireSupported(job, names);
  const mtu = podMtu(job.conf);
  await besideBudget(job, () => waitForGates(job.conf.readinessGates, world.clock, job.deadline));
  using api = apiOf(job);
  const reading = readPod(job, api);
  // It is awaited later; until then its failure must not end the process.
  reading.catch(() => undefined);
  // Its connection, too, is on its way while the pod is read and the kernel is looked at.
  const store = await openStore(job);
  const rollback = createRollback();
  try {
    const looked = job.phases.start('look at the kernel');
    using wiring = openWiring(job, names);
    looked();
    const pod = await reading;
    const asked = askedEndpoint(job, pod);
    validateEndpoint(job.ids, asked.profiles, asked.settings);
    const attachment = { ids: job.ids, netnsPath: call.netnsPath, hostIfNames: names, seen: wiring.seen };
    const source = await giveAddresses(job, { api, store, attachment, pod, rollback });
    const outcome = await writeRecords(job, store, source, attachment, asked, rollback);
    checkInterruption(job.deadline);
    requireAsker(world);
    const wired = job.phases.start('wire the pod');
    const network = await wiring.wire(podNetwork(job, mtu, outcome), { outcome, pod, rollback });
    wired();
    const endpoint = await recordInterface(job, store, outcome.endpoint, network);
    await awaitPolicy(job, endpoint);
    logSuccess(job, outcome, network);
    return addResult(network, mtu, source.from === 'allocator' ? routesOf(outcome.addresses) : source.routes);
  } catch (error) {
    await rollback.run(job.log);
    throw error;
  } finally {
    await closeQuietly(store, job.log);
  }
}

/** `undefined` for what is no pod of Kubernetes. */
async function readPod(job: Job, api: CallApi): Promise<KubernetesPod | undefined> {
  if (!isKubernetesPod(job)) return undefined;
  return readKubernetesPod(job, await api.open());
}

/** A pod that Felix is late for is started all the same. */
async function awaitPolicy(job: Job, endpoint: WorkloadEndpoint): Promise<void> {
  const { conf, world, log } = job;
  const { podName } = job.ids;
  if (podName === undefined || conf.policySetupTimeoutSeconds === 0) return;
  const timeoutMs = conf.policySetupTimeoutSeconds * 1_000;
  const report = { ...endpoint, podName };
  const state = await besideBudget(job, () =>
    waitForPolicy(report, conf.endpointStatusDir, timeoutMs, world.clock),
  );
  if (!state.isReady) log.warn(state.reason);
}

/** What the configuration wants to be waited for takes none of the call's own time. */
async function besideBudget<T>({ world, deadline }: Job, wait: () => Promise<T>): Promise<T> {
  const startMs = world.clock.monotonicMs();
  const outcome = await unlessInterrupted(deadline, wait());
  deadline.postpone(world.clock.monotonicMs() - startMs);
  return outcome;
}

function logSuccess(job: Job, { addresses }: AddOutcome, { hostIfName }: PodNetwork): void {
  job.log.debug('phases', { phases: job.phases.toString() });
  job.log.info('networked the container', {
    addresses: addresses.map(formatIpNetwork).join(','),
    hostInterface: hostIfName,
    milliseconds: job.elapsedMs(),
  });
}
