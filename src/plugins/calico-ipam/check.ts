/** CHECK of the IPAM plugin: the container still holds the addresses that the result of its ADD names. */

import type { CniCall } from '../../cni/dispatch.ts';
import { allocationFacts, allocationRanges } from '../../datastore/allocation-records.ts';
import { readAll } from '../../datastore/read-all.ts';
import { allocationMismatches } from '../../ipam/check-allocation.ts';
import { askedAllocation } from '../asked-allocation.ts';
import { CHECK_BUDGET_MS } from '../budgets.ts';
import { closeQuietly, type Job, loggingFailure, openStore, prepareJob } from '../job.ts';
import { addressesOf, requirePrevResult } from '../prev-result.ts';
import { requireNoMismatch } from '../require-no-mismatch.ts';
import type { World } from '../world.ts';

export async function check(call: CniCall, world: World): Promise<undefined> {
  const job = prepareJob(call, world, CHECK_BUDGET_MS);
  await loggingFailure(job, () => compare(job));
}

async function compare(job: Job): Promise<void> {
  const result = requirePrevResult(job.call.conf);
  const asked = askedAllocation(job, addressesOf(result, job.call.ifName));
  const store = await openStore(job);
  try {
    const view = await readAll(store, allocationRanges(asked), job.deadline);
    requireNoMismatch(allocationMismatches(asked, allocationFacts(view, asked)));
    job.log.debug('the addresses are the container’s', { milliseconds: job.elapsedMs() });
  } finally {
    await closeQuietly(store, job.log);
  }
}
