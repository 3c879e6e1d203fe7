/** Gives addresses back to their blocks: all of a container's, or those of an ADD that is being undone. */

import type { IpAddress } from '../../base/ip-address.ts';
import { ipamFacts, ipamRanges, ipamTransaction, lookRanges } from '../../datastore/ipam-records.ts';
import { commitOrDone, type Decision } from '../../datastore/settle.ts';
import type { Store } from '../../datastore/store.ts';
import type { View } from '../../datastore/view.ts';
import { planRelease, type ReleaseRequest } from '../../ipam/plan-release.ts';
import { type Job, settleJob } from '../job.ts';

/** What was given back. A handle that nobody knows is released already. */
export function release(
  job: Pick<Job, 'world' | 'deadline' | 'log' | 'phases'>,
  store: Store,
  request: ReleaseRequest,
): Promise<readonly IpAddress[]> {
  return settleJob(job, store, ipamRanges(request), (view) => decide(request, view, job.log.warn));
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
