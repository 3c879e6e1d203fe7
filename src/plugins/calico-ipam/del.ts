/** DEL of the IPAM plugin: every address of the container back to its block. */

import { formatIpAddress, type IpAddress } from '../../base/ip-address.ts';
import type { CniCall } from '../../cni/dispatch.ts';
import { ipamFacts, ipamRanges, ipamTransaction, lookRanges } from '../../datastore/ipam-records.ts';
import { commitOrDone, type Decision } from '../../datastore/settle.ts';
import type { View } from '../../datastore/view.ts';
import { planRelease, type ReleaseRequest } from '../../ipam/plan-release.ts';
import { DEL_BUDGET_MS } from '../budgets.ts';
import { handleIdsOf } from '../handle-id.ts';
import { lockIpam } from '../ipam-lock.ts';
import { closeQuietly, openStore, prepareJob, settleJob } from '../job.ts';
import type { World } from '../world.ts';

export async function del(call: CniCall, world: World): Promise<undefined> {
  const job = prepareJob(call, world, DEL_BUDGET_MS);
  const { nodeName } = job.ids;
  const request = { nodeName, handleIds: handleIdsOf(job.conf.name, job.ids), nowNs: world.clock.nowNs() };
  const store = await openStore(job);
  try {
    using _lock = await lockIpam(job);
    const released = await settleJob(job, store, ipamRanges(request), (view) =>
      decide(request, view, job.log.warn),
    );
    job.log.info('released', {
      addresses: released.map(formatIpAddress).join(','),
      milliseconds: job.elapsedMs(),
    });
  } finally {
    await closeQuietly(store, job.log);
  }
}

function decide(
  request: ReleaseRequest,
  view: View,
  warn: (text: string) => void,
): Decision<readonly IpAddress[]> {
  const plan = planRelease(request, ipamFacts(view, request, warn));
  if (plan.outcome === 'look') return { step: 'look', ranges: lookRanges(plan.look) };
  return commitOrDone(ipamTransaction(plan.changes), plan.released);
}
