/**
 * Collects the garbage of a network on this node: what the datastore records of containers that the runtime does not know
 * any more, and what the host has of them. One look at everything without a lock, then a transaction for some 30
 * containers at a time. What fails is reported at the end, and keeps nothing else from being collected.
 */

import { errorText, isCalicoError } from '../../base/calico-error.ts';
import { formatIpAddress } from '../../base/ip-address.ts';
import { NS_PER_SECOND } from '../../base/time.ts';
import { validAttachments } from '../../cni/attachments.ts';
import { checkGcGrace } from '../../config/check-values.ts';
import { interfacePrefix } from '../../config/environment-defaults.ts';
import type { Store } from '../../datastore/store.ts';
import { batches } from '../../garbage/batches.ts';
import {
  type CollectionInputs,
  type CollectionOutcome,
  collectionRanges,
  decideCollection,
} from '../../garbage/decide-collection.ts';
import type { Leak } from '../../garbage/leak.ts';
import { lockIpam } from '../ipam-lock.ts';
import { type Job, settleJob } from '../job.ts';
import { decideGc, type GcDecision, type GcScope } from './decide-gc.ts';
import { removeHostRemains, seeHostRemains } from './host-remains.ts';
import { scan } from './scan.ts';

/** What this program keeps of the containers; the rest is other plugins' business. */
export interface Keeping {
  readonly addresses: boolean;
  readonly endpoints: boolean;
  readonly interfaces: boolean;
}

/** What went wrong with single containers. Throws `config` without a list of attachments, and when nothing can be read. */
export async function collect(job: Job, store: Store, keeping: Keeping): Promise<readonly unknown[]> {
  const scope = gcScope(job);
  const { ids, deadline, log } = job;
  const read = job.phases.start('look for garbage');
  const found = await scan({
    nodeName: ids.nodeName,
    withEndpoints: keeping.endpoints,
    store,
    deadline,
    log,
  });
  read();
  const decision = decideGc(scope, found);
  for (const note of decision.notes) log.info(note);
  const leaks = decision.leaks.map((leak) => (keeping.addresses ? leak : { ...leak, allocations: [] }));
  const work: Work = { job, store, keeping, surviving: decision.surviving };
  return collectAll(work, batches(leaks.filter(isSomething)));
}

interface Work extends Pick<GcDecision, 'surviving'> {
  readonly job: Job;
  readonly store: Store;
  readonly keeping: Keeping;
}

/** Throws `config`. */
function gcScope({ call, conf, ids, world }: Job): GcScope {
  const graceSeconds = checkGcGrace(conf.gcGraceSeconds);
  return {
    network: conf.name,
    nodeName: ids.nodeName,
    liveContainers: new Set(validAttachments(call.conf.json).map(({ containerId }) => containerId)),
    // Without a grace period the clock, which others may have set, is not asked.
    madeBeforeNs: graceSeconds === 0 ? undefined : world.clock.nowNs() - BigInt(graceSeconds) * NS_PER_SECOND,
  };
}

function isSomething({ allocations, endpoints }: Leak): boolean {
  return allocations.length + endpoints.length > 0;
}

async function collectAll(work: Work, all: readonly (readonly Leak[])[]): Promise<readonly unknown[]> {
  const errors: unknown[] = [];
  const pending = [...all];
  for (let batch = pending.shift(); batch !== undefined; batch = pending.shift()) {
    try {
      await collectBatch(work, batch);
    } catch (error) {
      if (isCalicoError(error, 'unavailable')) return [...errors, error];
      if (batch.length === 1) {
        errors.push(error);
        continue;
      }
      // Each alone, so that only the one that cannot be collected stays.
      work.job.log.debug('collecting one container at a time', { because: errorText(error) });
      pending.unshift(...batch.map((leak) => [leak]));
    }
  }
  return errors;
}

async function collectBatch({ job, store, keeping, surviving }: Work, leaks: readonly Leak[]): Promise<void> {
  const { ids, world, log } = job;
  const inputs: CollectionInputs = { leaks, nodeName: ids.nodeName, nowNs: world.clock.nowNs() };
  const naming = { nodeName: ids.nodeName, sha1Hex: world.sha1Hex, prefix: interfacePrefix(world.env) };
  const remains = keeping.interfaces ? seeHostRemains(leaks, naming) : undefined;
  using locks = new DisposableStack();
  let isLocked = false;
  const beforeCommit = async (outcome: CollectionOutcome) => {
    if (remains !== undefined) await logRemoved(job, removeHostRemains(remains, outcome, surviving));
    if (!isLocked) locks.use(await lockIpam(job));
    isLocked = true;
  };
  const { released, endpoints } = await settleJob(
    job,
    store,
    collectionRanges(inputs),
    (view) => decideCollection(inputs, view, log.warn),
    beforeCommit,
  );
  log.info('collected', {
    containers: leaks.map(({ containerId }) => containerId).join(','),
    addresses: released.map(formatIpAddress).join(','),
    endpoints: endpoints.map(({ namespace, name }) => `${namespace}/${name}`).join(','),
  });
}

async function logRemoved({ log }: Job, removing: ReturnType<typeof removeHostRemains>): Promise<void> {
  const { interfaces, warnings } = await removing;
  for (const warning of warnings) log.warn(warning);
  if (interfaces.length > 0) log.info('removed interfaces', { interfaces: interfaces.join(',') });
}
