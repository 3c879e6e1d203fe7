/**
 * GC: takes away what is left of containers that the runtime does not know any more (CNI 1.1 §GC), of this network and
 * this node alone. An address is free only when its interface is gone; so another IPAM plugin comes last.
 */

import { errorText } from '../../base/calico-error.ts';
import type { CniCall } from '../../cni/dispatch.ts';
import { GC_BUDGET_MS } from '../budgets.ts';
import { collect } from '../garbage/collect.ts';
import { reportFailures } from '../garbage/report.ts';
import { closeQuietly, type Job, openStore, prepareJob } from '../job.ts';
import type { World } from '../world.ts';
import { collectByDelegate, ipamPlugin } from './delegates.ts';

export async function gc(call: CniCall, world: World): Promise<undefined> {
  const job = prepareJob(call, world, GC_BUDGET_MS);
  const ipam = tryIpamPlugin(job);
  const failures = [...(await collectOwn(job, ipam.plugin === 'own')), ...ipam.failures];
  if (ipam.plugin !== undefined && ipam.plugin !== 'own') {
    await collectByDelegate(job, ipam.plugin.path).catch((error: unknown) => failures.push(error));
  }
  job.log.debug('phases', { phases: job.phases.toString() });
  job.log.info('collected garbage', { failures: failures.length, milliseconds: job.elapsedMs() });
  for (const failure of failures) job.log.error('cannot collect', { error: errorText(failure) });
  reportFailures(failures);
}

async function collectOwn(job: Job, isOwnIpam: boolean): Promise<readonly unknown[]> {
  const store = await openStore(job);
  try {
    return await collect(job, store, {
      addresses: isOwnIpam,
      endpoints: true,
      interfaces: job.conf.dataplane.type === 'linux',
    });
  } finally {
    await closeQuietly(store, job.log);
  }
}

interface FoundPlugin {
  /** `undefined`: there is none. */
  readonly plugin: ReturnType<typeof ipamPlugin> | undefined;
  readonly failures: readonly unknown[];
}

/** Without its plugin nobody can give the addresses back; all the rest can be collected. */
function tryIpamPlugin(job: Job): FoundPlugin {
  try {
    return { plugin: ipamPlugin(job), failures: [] };
  } catch (error) {
    return { plugin: undefined, failures: [error] };
  }
}
