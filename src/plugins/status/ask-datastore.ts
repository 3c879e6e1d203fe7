/** Whether the datastore answers, is ready, and has an address left for this node. Writes nothing, takes no lock. */

import { deadlineIn } from '../../base/deadline.ts';
import { ipamFacts, ipamRanges, lookRanges } from '../../datastore/ipam-records.ts';
import type { Decision } from '../../datastore/settle.ts';
import type { View } from '../../datastore/view.ts';
import { clusterRanges, datastoreReady } from '../../datastore/workload-records.ts';
import { planAvailability } from '../../ipam/plan-availability.ts';
import { STATUS_ANSWER_MS } from '../budgets.ts';
import { closeQuietly, type Job, openStore, settleJob } from '../job.ts';
import { type OwnAllocation, ownAllocation, resolveRequest } from '../own-allocation.ts';
import { requireReady } from '../require-ready.ts';

/** `hasOwnIpam`: whether addresses come from our own allocator. Throws what an ADD would be refused with. */
export async function askDatastore(job: Job, hasOwnIpam: boolean): Promise<void> {
  const { world, ids, conf } = job;
  const endpoints = conf.datastore.type === 'etcdv3' ? conf.datastore.endpoints.length : 1;
  // An endpoint that is down must not keep another one from answering.
  const deadline = deadlineIn(world.clock, STATUS_ANSWER_MS * Math.max(1, endpoints), 'STATUS');
  // Without a container ID the handle is one that nobody can have.
  const allocation = hasOwnIpam ? ownAllocation(job, world.clock.nowNs()) : undefined;
  const subject = { nodeName: ids.nodeName, handleIds: allocation ? [allocation.request.handleId] : [] };
  const ranges = [...clusterRanges(), ...(allocation ? ipamRanges(subject) : [])];
  const store = await openStore(job);
  try {
    await settleJob({ ...job, deadline }, store, ranges, (view) => decide(allocation, view, job.log.warn));
  } finally {
    await closeQuietly(store, job.log);
  }
}

function decide(
  allocation: OwnAllocation | undefined,
  view: View,
  warn: (text: string) => void,
): Decision<void> {
  requireReady(datastoreReady(view));
  if (allocation !== undefined) {
    const facts = ipamFacts(view, allocation.request, warn);
    const availability = planAvailability(resolveRequest(allocation, facts), facts);
    if (availability.outcome === 'look') return { step: 'look', ranges: lookRanges(availability.look) };
  }
  return { step: 'done', outcome: undefined };
}
