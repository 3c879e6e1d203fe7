/** Writes and takes back the records of one ADD. */

import { deadlineIn } from '../../base/deadline.ts';
import { formatIpAddress } from '../../base/ip-address.ts';
import { randomMacAddress } from '../../base/mac-address.ts';
import { ipamRanges } from '../../datastore/ipam-records.ts';
import type { Store } from '../../datastore/store.ts';
import { workloadRanges } from '../../datastore/workload-records.ts';
import { mesosLabels } from '../../workload/mesos-labels.ts';
import { ROLLBACK_BUDGET_MS } from '../budgets.ts';
import { handleIdOf } from '../handle-id.ts';
import { lockIpam } from '../ipam-lock.ts';
import { type Job, settleJob } from '../job.ts';
import type { AddressSource } from './address-source.ts';
import type { Attachment } from './attachment.ts';
import { type AddInputs, type AddOutcome, decideAdd } from './decide-add.ts';
import { decideDel } from './decide-del.ts';

/** Addresses, endpoint and profile, in one transaction. */
export async function writeRecords(
  job: Job,
  store: Store,
  source: AddressSource,
  attachment: Attachment,
): Promise<AddOutcome> {
  const { ids, conf, log } = job;
  const inputs = addInputs(job, source, attachment);
  const handleIds = source.from === 'allocator' ? [handleIdOf(conf.name, ids)] : [];
  const ranges = [...workloadRanges(ids, conf.name), ...ipamRanges({ nodeName: ids.nodeName, handleIds })];
  // Also for a delegate's addresses: the names of host interfaces are chosen here.
  using _lock = await lockIpam(job);
  const outcome = await settleJob(job, store, ranges, (view) => decideAdd(inputs, view, log.warn));
  for (const note of outcome.notes) log.info(note);
  return outcome;
}

/** Puts the endpoint back as it was and returns the addresses, unless the container had them before. */
export async function takeBackRecords(
  job: Job,
  store: Store,
  source: AddressSource,
  outcome: AddOutcome,
): Promise<void> {
  const { ids, conf, world, log, phases } = job;
  const inputs = {
    ids,
    handleIds: source.from === 'allocator' ? [handleIdOf(conf.name, ids)] : [],
    keep: outcome.before.held,
    nowNs: world.clock.nowNs(),
    isInUse: () => false,
    restore: outcome.before.endpoint,
  };
  const ranges = [
    ...workloadRanges(ids),
    ...ipamRanges({ nodeName: ids.nodeName, handleIds: inputs.handleIds }),
  ];
  const ownTime = { world, log, phases, deadline: deadlineIn(world.clock, ROLLBACK_BUDGET_MS, 'rollback') };
  const { released } = await settleJob(ownTime, store, ranges, (view) => decideDel(inputs, view, log.warn));
  if (released.length > 0)
    log.info('gave the addresses back', { addresses: released.map(formatIpAddress).join(',') });
}

function addInputs({ conf, world }: Job, source: AddressSource, attachment: Attachment): AddInputs {
  return {
    ...attachment,
    profile: conf.name,
    labels: mesosLabels(conf.mesosLabels),
    source,
    freshMac: randomMacAddress(world.random.bytes(6)),
    endpointUid: world.random.uuid(),
    profileUid: world.random.uuid(),
    nowNs: world.clock.nowNs(),
  };
}
