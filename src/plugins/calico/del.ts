/**
 * DEL: takes the network away and gives the addresses back. The link goes while the records are being read, and
 * always before them: an address must not be free while something still answers for it. Everything that is gone
 * already is success.
 */

import { formatIpAddress } from '../../base/ip-address.ts';
import type { CniCall } from '../../cni/dispatch.ts';
import { ipamRanges } from '../../datastore/ipam-records.ts';
import type { Store } from '../../datastore/store.ts';
import { workloadRanges } from '../../datastore/workload-records.ts';
import { type Removal, removeHostLink, removePodLink } from '../../network/remove-pod.ts';
import { DEL_BUDGET_MS } from '../budgets.ts';
import { handleIdsOf } from '../handle-id.ts';
import { closeQuietly, type Job, openStore, prepareJob, settleJob } from '../job.ts';
import type { World } from '../world.ts';
import { ipamPlugin, releaseFromDelegate } from './address-source.ts';
import { type DelOutcome, decideDel } from './decide-del.ts';

export async function del(call: CniCall, world: World): Promise<undefined> {
  const job = prepareJob(call, world, DEL_BUDGET_MS);
  const linkGone = removePodLink(call.netnsPath, call.ifName);
  try {
    const plugin = ipamPlugin(job);
    const { released } = await removeRecords(job, plugin === 'own', linkGone);
    if (plugin !== 'own') await releaseFromDelegate(job, plugin.path);
    job.log.info('removed the container', {
      addresses: released.map(formatIpAddress).join(','),
      milliseconds: job.elapsedMs(),
    });
  } finally {
    // Also when the datastore is away: the link must not stay because of that.
    warnOf(await linkGone, job);
  }
}

async function removeRecords(
  job: Job,
  isOurAllocator: boolean,
  linkGone: Promise<Removal>,
): Promise<DelOutcome> {
  const { ids, conf, world, log } = job;
  const handleIds = isOurAllocator ? handleIdsOf(conf.name, ids) : [];
  const inputs = { ids, handleIds, nowNs: world.clock.nowNs(), restore: undefined };
  const ranges = [...workloadRanges(ids), ...ipamRanges({ nodeName: ids.nodeName, handleIds })];
  const store: Store = await openStore(job);
  try {
    return await settleJob(
      job,
      store,
      ranges,
      (view) => decideDel(inputs, view, log.warn),
      (outcome) => removeLinks(outcome, linkGone, job),
    );
  } finally {
    await closeQuietly(store, log);
  }
}

/** The host end normally goes with the other one; it is still there when the sandbox's path was lost. */
async function removeLinks({ endpoint }: DelOutcome, linkGone: Promise<Removal>, job: Job): Promise<void> {
  const { wasPresent } = await linkGone;
  if (!wasPresent && endpoint?.interfaceName) warnOf(await removeHostLink(endpoint.interfaceName), job);
}

function warnOf({ warning }: Removal, { log }: Job): void {
  if (warning !== undefined) log.warn(warning);
}
