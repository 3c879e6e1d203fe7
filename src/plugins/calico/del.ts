/**
 * DEL: takes the network away and gives the addresses back. The link goes while the records are being read, and
 * always before them: an address must not be free while something still answers for it. Everything that is gone
 * already is success, and what belongs to another attachment is left alone.
 */

import { formatIpAddress } from '../../base/ip-address.ts';
import type { Log } from '../../base/log.ts';
import type { CniCall } from '../../cni/dispatch.ts';
import { delFromDataplane } from '../../dataplane/grpc-dataplane.ts';
import { ipamRanges } from '../../datastore/ipam-records.ts';
import type { View } from '../../datastore/view.ts';
import { workloadRanges } from '../../datastore/workload-records.ts';
import { isOnHost } from '../../network/find-link.ts';
import { openSandboxLink } from '../../network/remove-pod.ts';
import { DEL_BUDGET_MS } from '../budgets.ts';
import { handleIdsOf } from '../handle-id.ts';
import { identifyLeniently } from '../identify.ts';
import { lockIpam } from '../ipam-lock.ts';
import { closeQuietly, type Job, loggingFailure, openStore, prepareJob, settleJob } from '../job.ts';
import type { World } from '../world.ts';
import { type DelOutcome, decideDel } from './decide-del.ts';
import { ipamPlugin, releaseFromDelegate } from './delegates.ts';
import { type DoomedHostEnd, seeHostEnd } from './doomed-host-end.ts';
import { type DoomedLink, doomLink, isPathReusable } from './doomed-link.ts';
import { hostIfNames } from './pod-network.ts';

export async function del(call: CniCall, world: World): Promise<undefined> {
  using sandbox = openSandboxLink(call.netnsPath, call.ifName);
  const likely = identifyLeniently(call);
  const mayBeAnothers = likely.podName !== undefined && isPathReusable(call.netnsPath);
  const link = doomLink(sandbox, hostIfNames({ ids: likely, world }), mayBeAnothers);
  try {
    const job = prepareJob(call, world, DEL_BUDGET_MS);
    await loggingFailure(job, () => remove(job, link));
  } finally {
    // The link goes whatever else fails: a datastore that is away, a configuration that is wrong.
    await link.gone();
  }
}

async function remove(job: Job, link: DoomedLink): Promise<void> {
  const { call, conf, deadline, log } = job;
  const plugin = ipamPlugin(job);
  if (conf.dataplane.type === 'grpc') {
    const made = { containerIfName: call.ifName, netnsPath: call.netnsPath };
    await delFromDataplane(made, conf.dataplane, deadline);
  }
  const { released } = await removeRecords(job, plugin === 'own', link);
  await link.gone();
  if (plugin !== 'own') await releaseFromDelegate(job, plugin.path);
  for (const warning of link.warnings()) log.warn(warning);
  log.debug('phases', { phases: job.phases.toString() });
  log.info('removed the container', {
    addresses: released.map(formatIpAddress).join(','),
    milliseconds: job.elapsedMs(),
  });
}

async function removeRecords(job: Job, isOwn: boolean, link: DoomedLink): Promise<DelOutcome> {
  const { ids, conf, world, log } = job;
  const handleIds = isOwn ? handleIdsOf(conf.name, ids) : [];
  const inputs = {
    ids,
    handleIds,
    nowNs: world.clock.nowNs(),
    isInUse: link.isInUse,
    isOnHost,
    restore: undefined,
  };
  const ranges = [...workloadRanges(ids), ...ipamRanges({ nodeName: ids.nodeName, handleIds })];
  const decide = (view: View) => decideDel(inputs, view, log.warn);
  const hostEnd = seeHostEnd(hostIfNames(job));
  const store = await openStore(job);
  using locks = new DisposableStack();
  let isLocked = !isOwn;
  // For each decision: one that lost may have found the endpoint another sandbox's, and the next one finds it this one's.
  const beforeCommit = async (outcome: DelOutcome) => {
    const removed = job.phases.start('wait for the link to go');
    await removeLinks(outcome, link, hostEnd, log);
    removed();
    // The lock comes last: others must not wait for the kernel to take a link away.
    if (!isLocked) locks.use(await lockIpam(job));
    isLocked = true;
  };
  try {
    return await settleJob(job, store, ranges, decide, beforeCommit);
  } finally {
    await closeQuietly(store, log);
  }
}

/** The host end goes with the other one; it is still there when the sandbox's path was lost or used again. */
async function removeLinks(
  { endpoint, hostIfName }: DelOutcome,
  link: DoomedLink,
  hostEnd: DoomedHostEnd,
  log: Log,
): Promise<void> {
  if (endpoint !== undefined) link.doomIfOf(endpoint);
  await link.gone();
  const warning = hostIfName === undefined ? undefined : await hostEnd.remove(hostIfName);
  if (warning !== undefined) log.warn(warning);
}
