/** DEL of the IPAM plugin: every address of the container back to its block. */

import { formatIpAddress } from '../../base/ip-address.ts';
import type { CniCall } from '../../cni/dispatch.ts';
import { DEL_BUDGET_MS } from '../budgets.ts';
import { handleIdsOf } from '../handle-id.ts';
import { lockIpam } from '../ipam-lock.ts';
import { closeQuietly, type Job, loggingFailure, openStore, prepareJob } from '../job.ts';
import type { World } from '../world.ts';
import { release } from './release.ts';

export async function del(call: CniCall, world: World): Promise<undefined> {
  const job = prepareJob(call, world, DEL_BUDGET_MS);
  await loggingFailure(job, () => giveBack(job));
}

async function giveBack(job: Job): Promise<void> {
  const { world } = job;
  const { nodeName } = job.ids;
  const request = { nodeName, handleIds: handleIdsOf(job.conf.name, job.ids), nowNs: world.clock.nowNs() };
  const store = await openStore(job);
  try {
    using _lock = await lockIpam(job);
    const released = await release(job, store, request);
    job.log.info('released', {
      addresses: released.map(formatIpAddress).join(','),
      milliseconds: job.elapsedMs(),
    });
  } finally {
    await closeQuietly(store, job.log);
  }
}
