/** GC of the IPAM plugin: addresses of containers that the runtime does not know any more, back to their blocks. */

import { errorText } from '../../base/calico-error.ts';
import type { CniCall } from '../../cni/dispatch.ts';
import { GC_BUDGET_MS } from '../budgets.ts';
import { collect } from '../garbage/collect.ts';
import { reportFailures } from '../garbage/report.ts';
import { closeQuietly, openStore, prepareJob } from '../job.ts';
import type { World } from '../world.ts';

export async function gc(call: CniCall, world: World): Promise<undefined> {
  const job = prepareJob(call, world, GC_BUDGET_MS);
  const store = await openStore(job);
  try {
    const failures = await collect(job, store, { addresses: true, endpoints: false, interfaces: false });
    for (const failure of failures) job.log.error('cannot collect', { error: errorText(failure) });
    reportFailures(failures);
    job.log.info('collected garbage', { milliseconds: job.elapsedMs() });
  } finally {
    await closeQuietly(store, job.log);
  }
}
