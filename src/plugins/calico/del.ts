/**
 * DEL: takes the network away and gives the addresses back. The link goes while the records are being read, and
 * always before them: an address must not be free while something still answers for it. Everything that is gone
 * already is success.
 */

import { formatIpAddress } from '../../base/ip-address.ts';
import type { Log } from '../../base/log.ts';
import type { CniCall } from '../../cni/dispatch.ts';
import { ipamRanges } from '../../datastore/ipam-records.ts';
import type { Store } from '../../datastore/store.ts';
import type { View } from '../../datastore/view.ts';
import { workloadRanges } from '../../datastore/workload-records.ts';
import { type Removal, removeHostLink, removePodLink } from '../../network/remove-pod.ts';
import { DEL_BUDGET_MS } from '../budgets.ts';
import { handleIdsOf } from '../handle-id.ts';
import { lockIpam } from '../ipam-lock.ts';
import { closeQuietly, type Job, openStore, prepareJob, settleJob } from '../job.ts';
import type { World } from '../world.ts';
import { ipamPlugin, releaseFromDelegate } from './address-source.ts';
import { type DelOutcome, decideDel } from './decide-del.ts';

export async function del(call: CniCall, world: World): Promise<undefined> {
  const linkGone = removePodLink(call.netnsPath, call.ifName);
  // It is awaited later; until then its failure must not end the process.
  linkGone.catch(() => undefined);
  try {
    const job = prepareJob(call, world, DEL_BUDGET_MS);
    const plugin = ipamPlugin(job);
    const { released } = await removeRecords(job, plugin === 'own', linkGone);
    if (plugin !== 'own') await releaseFromDelegate(job, plugin.path);
    job.log.info('removed the container', {
      addresses: released.map(formatIpAddress).join(','),
      milliseconds: job.elapsedMs(),
    });
  } finally {
    // The link goes whatever else fails: a datastore that is away, a configuration that is wrong.
    await linkGone;
  }
}

async function removeRecords(job: Job, isOwn: boolean, linkGone: Promise<Removal>): Promise<DelOutcome> {
  const { ids, conf, world, log } = job;
  const handleIds = isOwn ? handleIdsOf(conf.name, ids) : [];
  const inputs = { ids, handleIds, nowNs: world.clock.nowNs(), restore: undefined };
  const ranges = [...workloadRanges(ids), ...ipamRanges({ nodeName: ids.nodeName, handleIds })];
  const store: Store = await openStore(job);
  using locks = new DisposableStack();
  const decide = (view: View) => decideDel(inputs, view, log.warn);
  // The lock comes last: others must not wait for the kernel to take a link away.
  const beforeCommit = async (outcome: DelOutcome) => {
    await removeLinks(outcome, linkGone, job);
    if (isOwn) locks.use(await lockIpam(job));
  };
  try {
    return await settleJob(job, store, ranges, decide, once(beforeCommit));
  } finally {
    await closeQuietly(store, log);
  }
}

/** The host end normally goes with the other one; it is still there when the sandbox's path was lost. */
async function removeLinks(
  { endpoint }: DelOutcome,
  linkGone: Promise<Removal>,
  { log }: Job,
): Promise<void> {
  const removal = await linkGone;
  warnOf(removal, log);
  if (!removal.wasPresent && endpoint?.interfaceName)
    warnOf(await removeHostLink(endpoint.interfaceName), log);
}

function warnOf({ warning }: Removal, log: Log): void {
  if (warning !== undefined) log.warn(warning);
}

/** A decision that lost is made again; what had to come before it is done. */
function once<T>(run: (outcome: T) => Promise<void>): (outcome: T) => Promise<void> {
  let done: Promise<void> | undefined;
  return (outcome) => {
    done ??= run(outcome);
    return done;
  };
}
